#include "data/image_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/error.h"
#include "cluster/open_files.h"

namespace smoothlab::data {
namespace {

constexpr const char* remedy = "put the file back, or make the index again: smoothlab data prepare imagenet";

}  // namespace

ImageArchive::ImageArchive(const std::string& folder, const std::string& split, Opening opening)
    : ImageArchive(std::make_shared<const ImageIndex>(image_index_path(folder)), split, opening) {}

ImageArchive::ImageArchive(std::shared_ptr<const ImageIndex> index, const std::string& split, Opening opening)
    : index_(std::move(index)) {
  const auto& splits = index_->facts().splits;
  const auto found = std::find_if(splits.begin(), splits.end(),
                                  [&](const IndexedSplit& each) { return each.name == split; });
  if (found == splits.end())
    throw DataError(fmt::format("no {} split in the index", split), index_->path(),
                    fmt::format("name its images: smoothlab data prepare imagenet --{} …", split));
  first_ = found->first;
  count_ = found->count;
  fingerprint_ = found->fingerprint;
  if (opening == Opening::at_once) std::call_once(opened_, [this] { open_containers(); });
}

void ImageArchive::open_containers() const {
  const auto& containers = index_->facts().containers;
  tars_.resize(containers.size());
  std::vector<bool> used(containers.size());
  for (int64_t i = 0; i < count_; ++i) used[index_->record(first_ + i).container] = true;
  std::vector<size_t> tars;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    index_->check_container(i);
    if (!containers[i].folder) tars.push_back(i);
  }
  // Descriptors are few: where they do not last, each read opens its tar.
  if (!cluster::has_room_for_open_files(static_cast<int64_t>(tars.size()))) return;
  for (const size_t i : tars) tars_[i] = std::make_unique<const PositionedFile>(containers[i].path, remedy);
}

int64_t ImageArchive::at(int64_t sample) const {
  if (sample < 0 || sample >= count_)
    throw UsageError(fmt::format("sample {} of {}", sample, count_), index_->path(),
                     "choose one of the split");
  return first_ + sample;
}

std::string ImageArchive::where(int64_t sample) const {
  const IndexRecord& record = index_->record(at(sample));
  const ImageContainer& container = index_->facts().containers[record.container];
  if (container.folder) return container.path + "/" + name(sample);
  return fmt::format("{}, {}, offset {}", container.path, name(sample), record.offset);
}

std::vector<int64_t> ImageArchive::class_counts() const {
  std::vector<int64_t> counts(static_cast<size_t>(classes()));
  for (int64_t i = 0; i < count_; ++i) ++counts[static_cast<size_t>(index_->record(first_ + i).label)];
  return counts;
}

void ImageArchive::read(int64_t sample, std::vector<uint8_t>& bytes) const {
  std::call_once(opened_, [this] { open_containers(); });
  const IndexRecord& record = index_->record(at(sample));
  const ImageContainer& container = index_->facts().containers[record.container];
  bytes.resize(record.size);
  if (const auto& tar = tars_[record.container]) {
    tar->read(record.offset, bytes.data(), bytes.size(), name(sample));
    return;
  }
  const PositionedFile file(container.folder ? container.path + "/" + name(sample) : container.path, remedy);
  // Which the folder's own time does not tell, so that the index would pass for the same.
  if (container.folder && file.size() != record.size)
    throw DataError(fmt::format("{} bytes, where the index has {}", file.size(), record.size), file.path(),
                    "put the file back, or make the index anew: smoothlab data prepare imagenet --force");
  file.read(record.offset, bytes.data(), bytes.size(), name(sample));
}

}  // namespace smoothlab::data
