#include "data/prepare_text.h"

#include <algorithm>

#include "cluster/error.h"
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
  if (!is_file(options.out + "/" + corpus_manifest_name)) return false;
  if (options.force) return false;
  manifest = read_manifest(options.out);
  const Json wanted = deciding(request), present = deciding(manifest.request);
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

/// Files of the corpus that is being replaced, which nobody will list any more.
std::vector<std::string> outdated(const std::string& out, const CorpusManifest& manifest) {
  std::vector<std::string> names;
  if (!is_file(out + "/" + corpus_manifest_name)) return names;
  try {
    for (const ListedFile& old : read_manifest(out).files)
      if (std::none_of(manifest.files.begin(), manifest.files.end(),
                       [&](const ListedFile& file) { return file.name == old.name; }))
        names.push_back(old.name);
  } catch (const DataError&) {
    // A damaged manifest lists nothing that could be trusted.
  }
  return names;
}

void publish(cluster::FileSystem& files, const std::string& staging, const std::string& out,
             const CorpusManifest& manifest) {
  const auto old = outdated(out, manifest);
  files.sync_folder(staging);
  files.remove_all(out + "/" + corpus_manifest_name);
  files.sync_folder(out);
  for (const ListedFile& file : manifest.files)
    files.rename(staging + "/" + file.name, out + "/" + file.name);
  for (const std::string& name : old) files.remove_all(out + "/" + name);
  files.sync_folder(out);
  cluster::write_file_whole(files, out + "/" + corpus_manifest_name, manifest_text(manifest));
  files.remove_all(staging);
}

/// Small files with mistakes are told before the long work.
void read_through(const std::vector<TextFiles>& list) {
  for (const TextFiles& each : list) {
    ParallelText text(each);
    for (TextPair pair; text.next(pair);) {
    }
  }
}

}  // namespace

PrepareTextResult prepare_text(cluster::FileSystem& files, const PrepareTextOptions& options,
                               const PrepareCallback& progress) {
  check_options(options);
  piece_library();
  PrepareTextResult result;
  CorpusManifest& manifest = result.manifest;
  const Json request = request_of(options);
  result.already_there = is_there(options, request, manifest);
  if (result.already_there) return result;
  manifest = {};
  manifest.request = request;
  manifest.source_language = options.source_language;
  manifest.target_language = options.target_language;

  const std::string staging = options.out + "/preparing.part";
  read_through(options.validation);
  read_through(options.test);
  files.make_folders(options.out);
  const auto lock = files.lock(options.out + "/.lock");
  files.remove_all(staging);
  files.make_folders(staging);
  try {
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
    publish(files, staging, options.out, manifest);
  } catch (const Error&) {
    try {
      files.remove_all(staging);
    } catch (const Error&) {
      // What went wrong first is what is told.
    }
    throw;
  }
  return result;
}

}  // namespace smoothlab::data
