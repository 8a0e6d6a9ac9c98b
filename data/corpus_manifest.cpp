#include "data/corpus_manifest.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 1;

Json to_json(const SideSummary& side) {
  return {{"tokens", side.tokens}, {"longest", side.longest}, {"unknown", side.unknown}};
}

Json to_json(const SplitSummary& split) {
  Json json = {{"pairs", split.kept},
               {"fingerprint", split.fingerprint},
               {"source", to_json(split.source)},
               {"target", to_json(split.target)},
               {"dropped", Json::array()}};
  for (const auto& dropped : split.dropped)
    json["dropped"].push_back(
        {{"reason", dropped.reason}, {"pairs", dropped.count}, {"first", dropped.first}});
  return json;
}

Json to_json(const VocabularySummary& vocabulary) {
  return {{"file", vocabulary.file}, {"size", vocabulary.size}, {"sha256", vocabulary.sha256}};
}

SideSummary side_of(const Json& json) {
  return {json.at("tokens"), json.at("longest"), json.at("unknown")};
}

SplitSummary split_of(const std::string& name, const Json& json) {
  SplitSummary split;
  split.name = name;
  split.kept = json.at("pairs");
  split.fingerprint = json.value("fingerprint", "");
  split.source = side_of(json.at("source"));
  split.target = side_of(json.at("target"));
  for (const auto& dropped : json.at("dropped"))
    split.dropped.push_back({dropped.at("reason"), dropped.at("pairs"), dropped.at("first")});
  return split;
}

VocabularySummary vocabulary_of(const Json& json) {
  return {json.at("file"), json.at("size"), json.at("sha256")};
}

std::string plain_name(const std::string& name) {
  if (!is_name_in_corpus(name)) throw std::invalid_argument("a file called '" + name + "'");
  return name;
}

CorpusManifest manifest_of(const Json& json) {
  if (json.at("format") != format_version)
    throw std::invalid_argument("format " + json.at("format").dump() + ", where this program reads " +
                                std::to_string(format_version));
  CorpusManifest manifest;
  manifest.source_language = json.at("source_language");
  manifest.target_language = json.at("target_language");
  manifest.source_vocabulary = vocabulary_of(json.at("source_vocabulary"));
  manifest.target_vocabulary = vocabulary_of(json.at("target_vocabulary"));
  plain_name(manifest.source_vocabulary.file);
  plain_name(manifest.target_vocabulary.file);
  manifest.request = json.at("request").dump();
  for (const auto& [name, split] : json.at("splits").items())
    manifest.splits.push_back(split_of(plain_name(name), split));
  for (const auto& [name, file] : json.at("files").items())
    manifest.files.push_back({plain_name(name), file.at("bytes"), file.at("sha256")});
  return manifest;
}

}  // namespace

int64_t SplitSummary::dropped_in_all() const {
  int64_t count = 0;
  for (const auto& entry : dropped) count += entry.count;
  return count;
}

bool is_name_in_corpus(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string::npos;
}

std::string corpus_path(const std::string& folder, const std::string& name) {
  const std::string moving = folder + "/" + corpus_publishing_name + "/" + name;
  return is_file(moving) ? moving : folder + "/" + name;
}

std::string manifest_text(const CorpusManifest& manifest) {
  Json json;
  json["format"] = format_version;
  json["source_language"] = manifest.source_language;
  json["target_language"] = manifest.target_language;
  json["source_vocabulary"] = to_json(manifest.source_vocabulary);
  json["target_vocabulary"] = to_json(manifest.target_vocabulary);
  json["splits"] = Json::object();
  for (const auto& split : manifest.splits) json["splits"][split.name] = to_json(split);
  json["files"] = Json::object();
  for (const auto& file : manifest.files)
    json["files"][file.name] = {{"bytes", file.bytes}, {"sha256", file.sha256}};
  json["request"] = Json::parse(manifest.request);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

CorpusManifest read_manifest(const std::string& folder) {
  const std::string path = corpus_path(folder, corpus_manifest_name);
  const auto bytes = read_file_bytes(
      path, "name a folder that was prepared to its end: smoothlab data prepare text --out " + folder);
  try {
    return manifest_of(Json::parse(bytes.begin(), bytes.end()));
  } catch (const std::exception& failure) {
    throw DataError(std::string("no description of a prepared corpus: ") + failure.what(), path,
                    "prepare the corpus again, in an empty folder");
  }
}

}  // namespace smoothlab::data
