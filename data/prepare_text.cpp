#include "data/prepare_text.h"

#include <algorithm>

#include "cluster/error.h"
#include "data/corpus_outputs.h"
#include "data/corpus_publication.h"
#include "data/corpus_request.h"
#include "data/corpus_split.h"
#include "data/corpus_vocabularies.h"
#include "data/file_bytes.h"
#include "data/piece_library.h"
#include "data/prepared_corpus.h"

namespace smoothlab::data {
namespace {

using Json = nlohmann::ordered_json;

/// Whether the folder has what was asked for, and whole. Throws where it has something else, unless forced.
bool is_there(const PrepareTextOptions& options, const Json& request, CorpusManifest& manifest) {
  if (!is_file(corpus_path(options.out, corpus_manifest_name))) return false;
  if (options.force) return false;
  manifest = read_manifest(options.out);
  const Json wanted = deciding(request), present = deciding(Json::parse(manifest.request));
  if (wanted != present) {
    std::string differing;
    for (const auto& [key, value] : wanted.items())
      if (!present.contains(key) || present[key] != value) differing += (differing.empty() ? "" : ", ") + key;
    throw UsageError("another corpus is there, which differs in: " + differing, options.out,
                     "name another folder, or replace it with --force");
  }
  const auto dropped = [](const SplitSummary& split) { return !split.dropped.empty(); };
  if (options.strict && std::any_of(manifest.splits.begin(), manifest.splits.end(), dropped)) return false;
  const auto checked = check_corpus_files(options.out);
  return std::all_of(checked.begin(), checked.end(), [](const CheckedFile& file) { return file.whole; });
}

HoldOut held_out_of(const PrepareTextOptions& options, const PrepareCallback& progress) {
  HoldOut held_out;
  if (options.hold_out == 0 && options.hold_out_test == 0) return held_out;
  PairStream pairs(options.train, held_out, HoldOut::Split::train, "choosing what is held out", progress);
  HoldOut chosen;
  for (TextPair pair; pairs.next(pair);)
    if (!pair.source.empty() && !pair.target.empty()) chosen.add(pair.source);
  chosen.choose(options.hold_out, options.hold_out_test, options.seed);
  return chosen;
}

/// Small files with mistakes are told before the long work.
void read_through(const std::vector<TextFiles>& list) {
  for (const TextFiles& each : list) {
    ParallelText text(each);
    for (TextPair pair; text.next(pair);) {
    }
  }
}

/// Writes every file of the corpus into `staging` and says in the manifest what they are.
void make(cluster::FileSystem& files, const std::string& staging, const PrepareTextOptions& options,
          CorpusManifest& manifest, const PrepareCallback& progress) {
  const HoldOut held_out = held_out_of(options, progress), nothing;
  const CorpusVocabularies vocabularies(files, staging, options, held_out, progress);
  manifest.files = vocabularies.files();
  manifest.source_vocabulary = vocabularies.source_summary();
  manifest.target_vocabulary = vocabularies.target_summary();
  const auto add = [&](const std::string& name, const std::vector<TextFiles>& list, HoldOut::Split split) {
    if (list.empty()) return;
    PairStream pairs(list, &list == &options.train ? held_out : nothing, split, name, progress);
    manifest.splits.push_back(write_split(files, staging, name, pairs, vocabularies.source(),
                                          vocabularies.target(), options, manifest.files));
  };
  add("train", options.train, HoldOut::Split::train);
  if (options.hold_out > 0)
    add("validation", options.train, HoldOut::Split::validation);
  else
    add("validation", options.validation, HoldOut::Split::train);
  if (options.hold_out_test > 0)
    add("test", options.train, HoldOut::Split::test);
  else
    add("test", options.test, HoldOut::Split::train);
}

void make_and_publish(cluster::FileSystem& files, const PrepareTextOptions& options, CorpusManifest& manifest,
                      const PrepareCallback& progress) {
  const std::string staging = options.out + "/preparing.part";
  files.remove_all(staging);
  files.make_folders(staging);
  try {
    make(files, staging, options, manifest, progress);
    publish_corpus(files, staging, options.out, manifest);
  } catch (const Error&) {
    try {
      files.remove_all(staging);
    } catch (const Error&) {
      // What went wrong first is what is told.
    }
    throw;
  }
}

}  // namespace

PrepareTextResult prepare_text(cluster::FileSystem& files, const PrepareTextOptions& options,
                               const PrepareCallback& progress) {
  check_options(options);
  piece_library();
  check_outputs(options);
  check_given_vocabularies(options);
  PrepareTextResult result;
  CorpusManifest& manifest = result.manifest;
  const Json request = request_of(options);
  result.already_there = !is_half_published(options.out) && is_there(options, request, manifest);
  if (result.already_there) return result;
  read_through(options.validation);
  read_through(options.test);
  files.make_folders(options.out);
  const auto lock = files.lock(options.out + "/.lock");
  finish_publication(files, options.out);
  // Until the lock was taken another command could still put a corpus there.
  check_outputs(options);
  result.already_there = is_there(options, request, manifest);
  if (result.already_there) return result;
  manifest = {};
  manifest.request = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  manifest.source_language = options.source_language;
  manifest.target_language = options.target_language;
  make_and_publish(files, options, manifest, progress);
  return result;
}

}  // namespace smoothlab::data
