#include "data/prepare_imagenet.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/image_completeness.h"
#include "data/positioned_file.h"
#include "data/split_indexing.h"

namespace smoothlab::data {
namespace {

using Json = nlohmann::ordered_json;

void check_options(const PrepareImagenetOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& remedy) {
    throw UsageError(what, "data prepare imagenet", remedy);
  };
  if (options.out.empty()) refuse("no folder to write to", "add --out DIR");
  if (options.train.empty() && options.validation.empty())
    refuse("no images named", "add --train PATH or --validation PATH");
}

/// Finds the images of both splits; nothing is scanned yet but the outermost tar's headers.
std::vector<ScannedSplit> find_splits(const PrepareImagenetOptions& options) {
  std::vector<ScannedSplit> splits;
  if (!options.train.empty()) {
    splits.push_back({"train", find_images(options.train), {}, {}, ""});
    if (splits[0].source.layout == ImageLayout::flat)
      throw DataError("training images that tell no classes", options.train,
                      "name the tar of class tars, a folder of class folders, or shards");
  }
  if (!options.validation.empty()) {
    ScannedSplit split{"validation", find_images(options.validation), {}, {}, options.validation_synsets};
    if (split.source.layout == ImageLayout::flat) {
      if (options.validation_synsets.empty())
        throw UsageError("numbered validation images, and nothing that tells their classes",
                         "data prepare imagenet", "add --validation-synsets FILE, a synset a line");
      split.synsets = read_synset_list(options.validation_synsets);
    }
    splits.push_back(std::move(split));
  }
  return splits;
}

std::string request_of(const PrepareImagenetOptions& options, const std::vector<ScannedSplit>& splits) {
  Json json;
  const auto full = [](const std::string& path) { return path.empty() ? path : absolute_path(path); };
  const auto digest = [](const std::string& path) { return path.empty() ? "" : file_digest(path, "sha256"); };
  json["train"] = full(options.train);
  json["validation"] = full(options.validation);
  const auto& synsets = splits.back().synsets;
  json["validation_synsets"] = synsets.empty() ? "" : digest(options.validation_synsets);
  json["listed"] = synsets.size();
  json["classes"] = digest(options.classes);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<ImageContainer> containers_of(const std::vector<ScannedSplit>& splits) {
  std::vector<ImageContainer> all;
  for (const ScannedSplit& split : splits)
    all.insert(all.end(), split.source.containers.begin(), split.source.containers.end());
  return all;
}

bool same(const std::vector<ImageContainer>& some, const std::vector<ImageContainer>& others) {
  const auto equal = [](const ImageContainer& a, const ImageContainer& b) {
    return a.path == b.path && a.folder == b.folder && a.size == b.size && a.modified == b.modified;
  };
  return std::equal(some.begin(), some.end(), others.begin(), others.end(), equal);
}

/// The index that is there, where it is of the same files as they are now. Throws where it is of others,
/// unless forced; one that is damaged or of files that have changed is worth nothing.
std::shared_ptr<const ImageIndex> present_index(const PrepareImagenetOptions& options,
                                                const std::vector<ScannedSplit>& splits,
                                                const std::string& request) {
  const std::string path = image_index_path(options.out);
  if (!std::filesystem::exists(path)) return nullptr;
  const PositionedFile file(path, "take it away");
  char magic[sizeof image_index_magic] = {};
  if (file.size() >= static_cast<int64_t>(sizeof magic)) file.read(0, magic, sizeof magic);
  if (std::memcmp(magic, image_index_magic, sizeof magic) != 0)
    throw UsageError("a file that is no index is in the index's place", path,
                     "name another folder, or take the file away");
  if (options.force) return nullptr;
  std::shared_ptr<const ImageIndex> index;
  try {
    index = std::make_shared<const ImageIndex>(path);
  } catch (const DataError&) {
    return nullptr;
  }
  const Json wanted = Json::parse(request), present = Json::parse(index->facts().request, nullptr, false);
  std::string differing;
  for (const auto& [key, value] : wanted.items())
    if (!present.is_object() || !present.contains(key) || present[key] != value)
      differing += (differing.empty() ? "" : ", ") + key;
  if (!differing.empty())
    throw UsageError("another index is there, which differs in: " + differing, options.out,
                     "name another folder, or replace it with --force");
  return same(index->facts().containers, containers_of(splits)) ? index : nullptr;
}

/// label_of(i): of the index's image i.
template <typename LabelOf>
PreparedImages summary_of(const IndexFacts& facts, const LabelOf& label_of) {
  PreparedImages prepared;
  prepared.facts = facts;
  for (const IndexedSplit& split : facts.splits) {
    std::vector<int64_t> counts(static_cast<size_t>(facts.classes.size()));
    for (int64_t i = split.first; i < split.first + split.count; ++i)
      ++counts[static_cast<size_t>(label_of(i))];
    prepared.class_counts.push_back(counts);
  }
  const auto listed = Json::parse(facts.request).value("listed", int64_t{0});
  prepared.deviations = deviations(facts, prepared.class_counts, listed);
  return prepared;
}

void require_complete(const PreparedImages& prepared, const PrepareImagenetOptions& options) {
  if (!options.expect_complete || prepared.deviations.empty()) return;
  std::string all;
  for (const std::string& each : prepared.deviations) all += (all.empty() ? "" : "; ") + each;
  throw DataError("not the whole of ILSVRC 2012: " + all,
                  options.train.empty() ? options.validation : options.train,
                  "bring what is missing, or leave out --expect-complete");
}

void require_unchanged(const std::vector<ImageContainer>& containers) {
  for (const ImageContainer& each : containers) {
    int64_t size = 0, modified = 0;
    if (!file_facts(each.path, size, modified) || size != each.size || modified != each.modified)
      throw DataError("changed while it was scanned", each.path, "try again when nobody writes there");
  }
}

/// How many parts an earlier command had scanned.
int64_t scan_splits(cluster::FileSystem& files, const std::string& journal_path,
                    const PrepareImagenetOptions& options, std::vector<ScannedSplit>& splits,
                    const ScanCallback& progress) {
  ScanJournal journal(files, journal_path, options.force);
  int64_t resumed = 0;
  for (ScannedSplit& split : splits) {
    ScanResult scanned = scan_images(split.source, split.name, journal, progress);
    split.parts = std::move(scanned.parts);
    resumed += scanned.resumed;
  }
  require_unchanged(containers_of(splits));
  return resumed;
}

/// Labels and orders what was found.
IndexFacts index_of(std::vector<ScannedSplit>& splits, const PrepareImagenetOptions& options,
                    std::vector<IndexedImage>& images) {
  IndexFacts facts;
  facts.classes = options.classes.empty() ? classes_of(splits) : read_image_classes(options.classes);
  const std::string origin = options.classes.empty() ? "the " + splits[0].name + " images" : options.classes;
  size_t first_container = 0;
  for (ScannedSplit& split : splits) {
    IndexedSplit indexed{split.name, split.source.given,  layout_name(split.source.layout), 0, 0,
                         "",         split.source.skipped};
    for (const ScannedPart& part : split.parts) add_skipped(indexed.skipped, part.skipped);
    indexed.first = static_cast<int64_t>(images.size());
    auto found = index_images(split, facts.classes, origin, first_container, indexed);
    images.insert(images.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    split.parts.clear();  // a million names
    facts.splits.push_back(indexed);
    first_container += split.source.containers.size();
  }
  facts.containers = containers_of(splits);
  return facts;
}

}  // namespace

PreparedImages prepare_imagenet(cluster::FileSystem& files, const PrepareImagenetOptions& options,
                                const ScanCallback& progress) {
  check_options(options);
  // Small files with mistakes are told before the long work.
  if (!options.classes.empty()) read_image_classes(options.classes);
  std::vector<ScannedSplit> splits = find_splits(options);
  const std::string request = request_of(options, splits), path = image_index_path(options.out);
  if (const auto index = present_index(options, splits, request)) {
    auto prepared = summary_of(index->facts(), [&](int64_t i) { return index->record(i).label; });
    require_complete(prepared, options);
    prepared.already_there = true;
    return prepared;
  }
  files.make_folders(options.out);
  const auto lock = files.lock(options.out + "/.lock");
  const std::string journal_path = path + ".scan";
  const int64_t resumed = scan_splits(files, journal_path, options, splits, progress);
  std::vector<IndexedImage> images;
  IndexFacts facts = index_of(splits, options, images);
  facts.request = request;
  auto prepared = summary_of(facts, [&](int64_t i) { return images[static_cast<size_t>(i)].label; });
  require_complete(prepared, options);
  write_image_index(files, path, facts, images);
  files.remove_all(journal_path);
  prepared.resumed_parts = resumed;
  return prepared;
}

}  // namespace smoothlab::data
