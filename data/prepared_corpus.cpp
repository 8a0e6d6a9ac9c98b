#include "data/prepared_corpus.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "cluster/error.h"
#include "data/corpus_manifest.h"
#include "data/digest.h"
#include "data/file_bytes.h"
#include "data/pair_file.h"

namespace smoothlab::data {
namespace {

constexpr const char* remedy = "prepare the corpus again: smoothlab data prepare text --force";

int64_t bytes_of(const std::string& path) {
  std::error_code ignored;
  return static_cast<int64_t>(std::filesystem::file_size(path, ignored));
}

void check_vocabulary(const PairFile& pairs, const Vocabulary& wanted, const CorpusSide& side) {
  if (wanted.digest == side.vocabulary.digest) return;
  throw DataError(fmt::format("made with another vocabulary (sha256 {}) than {} (sha256 {})", wanted.digest,
                              side.model, side.vocabulary.digest),
                  pairs.path(), "put the vocabulary back, or prepare the corpus again");
}

std::shared_ptr<const SentencePairs> open_split(const PreparedCorpus& corpus, const SplitSummary& split) {
  auto pairs = std::make_shared<const PairFile>(corpus_path(corpus.folder, split.name + ".pairs"));
  check_vocabulary(*pairs, pairs->source_vocabulary(), corpus.source);
  check_vocabulary(*pairs, pairs->target_vocabulary(), corpus.target);
  if (pairs->size() != split.kept)
    throw DataError(
        fmt::format("{} pairs, where {} lists {}", pairs->size(), corpus_manifest_name, split.kept),
        pairs->path(), remedy);
  if (!split.fingerprint.empty() && pairs->fingerprint() != split.fingerprint)
    throw DataError(fmt::format("pairs of another corpus than the one of {}", corpus_manifest_name),
                    pairs->path(), std::string("try again if it is being replaced; else ") + remedy);
  return pairs;
}

CorpusSide side_of(const std::string& folder, const std::string& language, const VocabularySummary& listed) {
  const std::string path = corpus_path(folder, listed.file);
  if (!is_file(path)) throw DataError("no such file", path, remedy);
  return {language, path, {listed.size, {}, file_digest(path, "sha256")}};
}

}  // namespace

std::string PreparedCorpus::source_text(const std::string& split) const {
  return corpus_path(folder, split + ".source.txt");
}

std::string PreparedCorpus::target_text(const std::string& split) const {
  return corpus_path(folder, split + ".target.txt");
}

PreparedCorpus open_prepared_corpus(const std::string& folder) {
  const CorpusManifest manifest = read_manifest(folder);
  PreparedCorpus corpus;
  corpus.folder = folder;
  corpus.source = side_of(folder, manifest.source_language, manifest.source_vocabulary);
  corpus.target = side_of(folder, manifest.target_language, manifest.target_vocabulary);
  for (const ListedFile& file : manifest.files) {
    const std::string path = corpus_path(folder, file.name);
    if (!is_file(path)) throw DataError("no such file", path, remedy);
    // Pairs and vocabularies say better themselves what is wrong with them.
    const bool is_text = file.name.find(".txt") != std::string::npos;
    if (is_text && bytes_of(path) != file.bytes)
      throw DataError(fmt::format("{} bytes, not {}", bytes_of(path), file.bytes), path, remedy);
  }
  for (const SplitSummary& split : manifest.splits) {
    const auto pairs = open_split(corpus, split);
    corpus.source.vocabulary = pairs->source_vocabulary();
    corpus.target.vocabulary = pairs->target_vocabulary();
    if (split.name == "train") corpus.train = pairs;
    if (split.name == "validation") corpus.validation = pairs;
    if (split.name == "test") corpus.test = pairs;
  }
  if (!corpus.train) throw DataError("no pairs to train on", folder + "/" + corpus_manifest_name, remedy);
  return corpus;
}

std::vector<CheckedFile> check_corpus_files(const std::string& folder) {
  std::vector<CheckedFile> checked;
  for (const ListedFile& file : read_manifest(folder).files) {
    const std::string path = corpus_path(folder, file.name);
    std::string message = "whole";
    if (!is_file(path)) {
      message = "missing";
    } else if (bytes_of(path) != file.bytes) {
      message = fmt::format("{} bytes, not {}", bytes_of(path), file.bytes);
    } else if (const auto digest = file_digest(path, "sha256"); digest != file.sha256) {
      message = fmt::format("differs (sha256 {}, not {})", digest, file.sha256);
    }
    checked.push_back({file.name, file.bytes, message == "whole", message});
  }
  return checked;
}

}  // namespace smoothlab::data
