#include "data/corpus_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "cluster/error.h"
#include "data/pair_file_writer.h"

namespace smoothlab::data {
namespace {

constexpr size_t block_pairs = 8192;
constexpr size_t listed_lines = 10;

struct EncodedPair {
  TextPair text;
  std::vector<int32_t> source, target;
};

void encode(std::vector<EncodedPair>& block, const WordPieces& source, const WordPieces& target) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 64)
  for (size_t i = 0; i < block.size(); ++i) {
    try {
      block[i].source = source.encode(block[i].text.source);
      block[i].target = target.encode(block[i].text.target);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// Why a pair is dropped; empty: it is not.
std::string objection(const EncodedPair& pair, const PrepareTextOptions& options, bool is_training) {
  const auto source = static_cast<int64_t>(pair.source.size());
  const auto target = static_cast<int64_t>(pair.target.size());
  if (source == 0) return "empty source";
  if (target == 0) return "empty target";
  if (!is_training) return "";
  if (options.longest > 0 && source > options.longest) return "source too long";
  if (options.longest > 0 && target > options.longest) return "target too long";
  if (options.ratio > 0 && static_cast<double>(std::max(source, target)) >
                               options.ratio * static_cast<double>(std::min(source, target)))
    return "lengths too unequal";
  return "";
}

void drop(SplitSummary& summary, const std::string& reason, const std::string& where, bool strict) {
  if (strict)
    throw DataError("a pair that is no good: " + reason, where,
                    "mend the text, or drop such pairs: without --strict");
  auto entry = std::find_if(summary.dropped.begin(), summary.dropped.end(),
                            [&](const DroppedPairs& dropped) { return dropped.reason == reason; });
  if (entry == summary.dropped.end()) entry = summary.dropped.insert(entry, DroppedPairs{reason, 0, {}});
  ++entry->count;
  if (entry->first.size() < listed_lines) entry->first.push_back(where);
}

void count(SideSummary& side, const std::vector<int32_t>& tokens, int32_t unknown) {
  side.tokens += static_cast<int64_t>(tokens.size());
  side.longest = std::max(side.longest, static_cast<int64_t>(tokens.size()));
  side.unknown += std::count(tokens.begin(), tokens.end(), unknown);
}

}  // namespace

PairStream::PairStream(const std::vector<TextFiles>& files, const HoldOut& held_out, HoldOut::Split split,
                       std::string stage, const PrepareCallback& progress)
    : files_(files), held_out_(held_out), split_(split), progress_(progress) {
  now_.stage = std::move(stage);
  for (const TextFiles& each : files) now_.total += ParallelText(each).bytes();
}

bool PairStream::next_of_any(TextPair& pair) {
  while (open_.empty() || !open_.back().next(pair)) {
    if (!open_.empty()) bytes_before_ += open_.back().bytes();
    open_.clear();
    if (opened_ == files_.size()) return false;
    open_.emplace_back(files_[opened_++]);
  }
  return true;
}

bool PairStream::next(TextPair& pair) {
  while (next_of_any(pair)) {
    const bool is_whole = !pair.source.empty() && !pair.target.empty();
    const auto split = is_whole ? held_out_.of(pair.source) : HoldOut::Split::train;
    if (split != split_) continue;
    if (++now_.pairs % 4096 == 0) tell();
    return true;
  }
  now_.bytes = now_.total;
  if (progress_) progress_(now_);
  return false;
}

void PairStream::tell() const {
  if (!progress_) return;
  PrepareProgress progress = now_;
  progress.bytes = bytes_before_ + open_.back().bytes_read();
  progress_(progress);
}

const std::string& PairStream::file() const {
  return files_[opened_ - 1].first();
}

SplitSummary write_split(cluster::FileSystem& files, const std::string& folder, const std::string& name,
                         PairStream& pairs, const WordPieces& source, const WordPieces& target,
                         const PrepareTextOptions& options, std::vector<ListedFile>& listed) {
  const bool is_training = name == "train";
  SplitSummary summary;
  summary.name = name;
  PairFileWriter writer(files, folder, name + ".pairs", source.vocabulary(), target.vocabulary());
  std::optional<DigestedFile> source_text, target_text;
  if (!is_training) {
    source_text.emplace(files, folder, name + ".source.txt");
    target_text.emplace(files, folder, name + ".target.txt");
  }
  std::vector<EncodedPair> block;
  std::vector<std::string> from;
  const auto write_block = [&] {
    encode(block, source, target);
    for (size_t i = 0; i < block.size(); ++i) {
      const EncodedPair& pair = block[i];
      if (const std::string reason = objection(pair, options, is_training); !reason.empty()) {
        drop(summary, reason, fmt::format("{}, line {}", from[i], pair.text.line), options.strict);
        continue;
      }
      ++summary.kept;
      count(summary.source, pair.source, source.vocabulary().special.unknown);
      count(summary.target, pair.target, target.vocabulary().special.unknown);
      writer.add(pair.source, pair.target);
      if (!is_training) {
        source_text->write(pair.text.source + "\n");
        target_text->write(pair.text.target + "\n");
      }
    }
    block.clear();
    from.clear();
  };
  for (EncodedPair pair; pairs.next(pair.text);) {
    block.push_back(pair);
    from.push_back(pairs.file());
    if (block.size() == block_pairs) write_block();
  }
  write_block();
  if (summary.kept == 0)
    throw DataError(fmt::format("no pairs are left for the split {}", name), name,
                    summary.dropped.empty() ? "name files with text"
                                            : "pairs were dropped: " + summary.dropped[0].reason);
  listed.push_back(writer.finish());
  summary.fingerprint = writer.fingerprint();
  if (!is_training) {
    listed.push_back(source_text->finish());
    listed.push_back(target_text->finish());
  }
  return summary;
}

}  // namespace smoothlab::data
