#include "data/prepare_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

#include "cluster/error.h"
#include "data/corpus_split.h"
#include "data/digest.h"
#include "data/file_bytes.h"
#include "data/piece_library.h"
#include "data/prepared_corpus.h"

namespace smoothlab::data {
namespace {

using Json = nlohmann::ordered_json;

void check(const PrepareTextOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& remedy) {
    throw UsageError(what, "data prepare text", remedy);
  };
  if (options.out.empty()) refuse("no folder to write to", "add --out DIR");
  if (options.train.empty())
    refuse("no text to train on", "add --source FILE --target FILE, or --pairs FILE");
  if (options.hold_out > 0 && !options.validation.empty())
    refuse("a validation split is both given and to be held out", "choose one of the two");
  if (options.hold_out_test > 0 && !options.test.empty())
    refuse("a test split is both given and to be held out", "choose one of the two");
  if (options.source_vocabulary.empty() != options.target_vocabulary.empty())
    refuse("a vocabulary for one side only", "name both or none");
}

Json request_of(const PrepareTextOptions& options) {
  Json json;
  json["longest"] = options.longest;
  json["ratio"] = options.ratio;
  json["hold_out"] = options.hold_out;
  json["hold_out_test"] = options.hold_out_test;
  json["seed"] = options.seed;
  json["languages"] = {options.source_language, options.target_language};
  if (options.source_vocabulary.empty())
    json["vocabulary"] = {{"separate", options.separate_vocabularies},
                          {"type", options.pieces.type},
                          {"size", options.pieces.size},
                          {"coverage", options.pieces.coverage},
                          {"most_sentences", options.pieces.most_sentences},
                          {"seed", options.pieces.seed},
                          {"sentencepiece", sentencepiece_version()}};
  else
    json["vocabulary"] = {{"source", file_digest(options.source_vocabulary, "sha256")},
                          {"target", file_digest(options.target_vocabulary, "sha256")}};
  const auto entry = [](const std::string& path) -> Json {
    return {{"file", path.substr(path.find_last_of('/') + 1)}, {"sha256", file_digest(path, "sha256")}};
  };
  for (const auto& [name, list] :
       {std::pair("train", &options.train), std::pair("validation", &options.validation),
        std::pair("test", &options.test)}) {
    json[name] = Json::array();
    for (const TextFiles& each : *list)
      if (each.pairs.empty())
        json[name].push_back({{"source", entry(each.source)}, {"target", entry(each.target)}});
      else
        json[name].push_back(
            {{"pairs", entry(each.pairs)}, {"columns", {each.source_column, each.target_column}}});
  }
  return json;
}

/// Whether the folder has what was asked for, and whole. Throws where it has something else, unless forced.
bool is_there(const PrepareTextOptions& options, const Json& request, CorpusManifest& manifest) {
  if (!is_file(options.out + "/" + corpus_manifest_name)) return false;
  if (options.force) return false;
  manifest = read_manifest(options.out);
  if (manifest.request != request) {
    std::string differing;
    for (const auto& [key, value] : request.items())
      if (!manifest.request.contains(key) || manifest.request[key] != value)
        differing += (differing.empty() ? "" : ", ") + key;
    throw UsageError("another corpus is there, which differs in: " + differing, options.out,
                     "name another folder, or replace it with --force");
  }
  const auto checked = check_corpus_files(options.out);
  return std::all_of(checked.begin(), checked.end(), [](const CheckedFile& file) { return file.whole; });
}

/// The vocabularies of a corpus in the making, which lie in its folder under their names.
class Vocabularies {
 public:
  Vocabularies(cluster::FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  void add(const std::string& name, std::string_view model) {
    DigestedFile file(files_, folder_, name);
    file.write(model);
    listed.push_back(file.finish());
    opened_.push_back(std::make_unique<WordPieces>(folder_ + "/" + name));
  }
  const WordPieces& source() const { return *opened_.front(); }
  const WordPieces& target() const { return *opened_.back(); }
  std::vector<ListedFile> listed;

 private:
  cluster::FileSystem& files_;
  std::string folder_;
  std::vector<std::unique_ptr<WordPieces>> opened_;
};

enum class Side { source, target, both };

std::string train_side(const PrepareTextOptions& options, const HoldOut& held_out, Side side,
                       const PrepareCallback& progress) {
  PairStream pairs(options.train, held_out, HoldOut::Split::train, "reading for the vocabulary", progress);
  TextPair pair;
  bool has_target = false;
  const auto next = [&](std::string& sentence) {
    if (has_target) {
      has_target = false;
      sentence = pair.target;
      return true;
    }
    do {
      if (!pairs.next(pair)) {
        if (progress) progress({"training the vocabulary"});
        return false;
      }
    } while (pair.source.empty() || pair.target.empty());
    has_target = side == Side::both;
    sentence = side == Side::target ? pair.target : pair.source;
    return true;
  };
  return train_pieces(next, options.pieces);
}

void add_vocabularies(Vocabularies& vocabularies, const PrepareTextOptions& options, const HoldOut& held_out,
                      const PrepareCallback& progress) {
  const auto given = [](const std::string& path) {
    const auto bytes = read_file_bytes(path, "name a SentencePiece model");
    return std::string(bytes.begin(), bytes.end());
  };
  const bool trained = options.source_vocabulary.empty();
  if (trained ? !options.separate_vocabularies : options.source_vocabulary == options.target_vocabulary) {
    vocabularies.add("vocabulary.model", trained ? train_side(options, held_out, Side::both, progress)
                                                 : given(options.source_vocabulary));
    return;
  }
  vocabularies.add("source.model", trained ? train_side(options, held_out, Side::source, progress)
                                           : given(options.source_vocabulary));
  vocabularies.add("target.model", trained ? train_side(options, held_out, Side::target, progress)
                                           : given(options.target_vocabulary));
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

/// Everything that a corpus may consist of.
const std::vector<std::string>& corpus_names() {
  static const std::vector<std::string> names = {
      "vocabulary.model",      "source.model",          "target.model", "train.pairs",     "validation.pairs",
      "validation.source.txt", "validation.target.txt", "test.pairs",   "test.source.txt", "test.target.txt"};
  return names;
}

void publish(cluster::FileSystem& files, const std::string& staging, const std::string& out,
             const CorpusManifest& manifest) {
  files.sync_folder(staging);
  files.remove_all(out + "/" + corpus_manifest_name);
  files.sync_folder(out);
  for (const std::string& name : corpus_names()) {
    const bool is_new = std::any_of(manifest.files.begin(), manifest.files.end(),
                                    [&](const ListedFile& file) { return file.name == name; });
    if (is_new)
      files.rename(staging + "/" + name, out + "/" + name);
    else
      files.remove_all(out + "/" + name);
  }
  files.sync_folder(out);
  cluster::write_file_whole(files, out + "/" + corpus_manifest_name, manifest_text(manifest));
  files.remove_all(staging);
}

}  // namespace

PrepareTextResult prepare_text(cluster::FileSystem& files, const PrepareTextOptions& options,
                               const PrepareCallback& progress) {
  check(options);
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
  files.make_folders(options.out);
  files.remove_all(staging);
  files.make_folders(staging);
  try {
    const HoldOut held_out = held_out_of(options, progress), nothing;
    Vocabularies vocabularies(files, staging);
    add_vocabularies(vocabularies, options, held_out, progress);
    manifest.files = vocabularies.listed;
    const auto summary = [](const ListedFile& file, const WordPieces& pieces) {
      return VocabularySummary{file.name, pieces.vocabulary().size, file.sha256};
    };
    manifest.source_vocabulary = summary(vocabularies.listed.front(), vocabularies.source());
    manifest.target_vocabulary = summary(vocabularies.listed.back(), vocabularies.target());
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
