#include "data/corpus_publication.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

using Json = nlohmann::ordered_json;

/// Those of one corpus.json.
std::set<std::string> names_listed(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const Json json = Json::parse(in, nullptr, false);
  if (!json.is_object() || !json.contains("format") || !json.contains("files")) return {};
  std::set<std::string> names = {corpus_manifest_name};
  for (const auto& [name, file] : json["files"].items())
    if (is_name_in_corpus(name)) names.insert(name);
  return names;
}

void move_files(cluster::FileSystem& files, const std::string& from, const std::string& out) {
  auto outdated = names_listed(out + "/" + corpus_manifest_name);
  outdated.erase(corpus_manifest_name);
  for (const ListedFile& file : read_manifest(out).files) {
    outdated.erase(file.name);
    if (is_file(from + "/" + file.name)) files.rename(from + "/" + file.name, out + "/" + file.name);
  }
  for (const std::string& name : outdated) files.remove_all(out + "/" + name);
  files.sync_folder(out);
  files.rename(from + "/" + corpus_manifest_name, out + "/" + corpus_manifest_name);
  files.sync_folder(out);
}

}  // namespace

void publish_corpus(cluster::FileSystem& files, const std::string& staging, const std::string& out,
                    const CorpusManifest& manifest) {
  cluster::write_file_whole(files, staging + "/" + corpus_manifest_name, manifest_text(manifest));
  files.rename(staging, out + "/" + corpus_publishing_name);
  files.sync_folder(out);
  finish_publication(files, out);
}

bool is_half_published(const std::string& out) {
  std::error_code ignored;
  return std::filesystem::exists(out + "/" + corpus_publishing_name, ignored);
}

void finish_publication(cluster::FileSystem& files, const std::string& out) {
  const std::string from = out + "/" + corpus_publishing_name;
  // The manifest is moved last: without it only the folder is left.
  if (is_file(from + "/" + corpus_manifest_name)) move_files(files, from, out);
  files.remove_all(from);
}

std::set<std::string> names_of_corpus(const std::string& out) {
  auto names = names_listed(out + "/" + corpus_manifest_name);
  names.merge(names_listed(out + "/" + corpus_publishing_name + "/" + corpus_manifest_name));
  return names;
}

}  // namespace smoothlab::data
