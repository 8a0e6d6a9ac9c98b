#include "data/image_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "cluster/error.h"
#include "data/file_header.h"
#include "data/index_facts.h"
#include "data/positioned_file.h"

namespace smoothlab::data {
namespace {

constexpr const char* remedy = "make the index again: smoothlab data prepare imagenet";
constexpr auto header_bytes = static_cast<int64_t>(sizeof(ImageIndexHeader));
constexpr auto record_bytes = static_cast<int64_t>(sizeof(IndexRecord));

}  // namespace

std::string image_index_path(const std::string& folder) {
  return folder + "/images.index";
}

ImageIndex::ImageIndex(const std::string& path) : path_(path), file_(path, remedy) {
  const ImageIndexHeader header = read_header();
  const int64_t records_at = image_records_at(header.fact_bytes);
  const int64_t names_at = records_at + header.images * record_bytes;
  images_ = header.images;
  records_ = reinterpret_cast<const IndexRecord*>(file_.data() + records_at);
  names_ = file_.data() + names_at;
  const auto check = [this](const char* what, int64_t at, int64_t bytes, uint32_t checksum) {
    if (cluster::checksum(file_.data() + at, static_cast<size_t>(bytes)) != checksum)
      fail(fmt::format("damaged {}: their checksum differs", what), at);
  };
  check("facts", header_bytes, header.fact_bytes, header.fact_checksum);
  check("records", records_at, images_ * record_bytes, header.record_checksum);
  check("names", names_at, header.name_bytes, header.name_checksum);
  read_facts({file_.data() + header_bytes, static_cast<size_t>(header.fact_bytes)});
  check_records(header.name_bytes);
}

void ImageIndex::fail(const std::string& what, int64_t offset) const {
  throw DataError(what, fmt::format("{}, offset {}", path_, offset), remedy);
}

ImageIndexHeader ImageIndex::read_header() const {
  const auto bytes = static_cast<int64_t>(file_.size());
  const auto header = checked_header<ImageIndexHeader>(
      file_,
      {image_index_magic, image_index_byte_order, image_index_version, "not an index of images", "an index"},
      [this](const std::string& what, int64_t offset) { fail(what, offset); });
  // What is larger than the file is wrong, and what is not cannot overflow below.
  for (const int64_t count : {header.fact_bytes, header.images, header.name_bytes})
    if (count < 0 || count > bytes) fail("the file is cut", bytes);
  if (image_records_at(header.fact_bytes) + header.images * record_bytes + header.name_bytes != bytes)
    fail("the file is cut, or something was added to it", bytes);
  return header;
}

void ImageIndex::read_facts(std::string_view bytes) {
  if (!unpack_facts(bytes, facts_)) fail("facts that make no sense", header_bytes);
  int64_t first = 0;
  for (const IndexedSplit& split : facts_.splits) {
    if (split.first != first || split.count < 0 || split.count > images_ - first)
      fail("splits that do not add up to the images", header_bytes);
    first += split.count;
  }
  if (first != images_) fail("splits that do not add up to the images", header_bytes);
}

void ImageIndex::check_records(int64_t name_bytes) const {
  const auto containers = static_cast<uint32_t>(facts_.containers.size());
  int64_t previous = 0;
  for (int64_t i = 0; i < images_; ++i) {
    const IndexRecord& record = records_[i];
    const bool has_place = record.container < containers && record.offset >= 0 && record.size > 0 &&
                           (facts_.containers[record.container].folder ||
                            (record.offset <= facts_.containers[record.container].size &&
                             record.size <= facts_.containers[record.container].size - record.offset));
    if (!has_place || record.label < 0 || record.label >= facts_.classes.size() ||
        record.name_end < previous || record.name_end > name_bytes)
      fail(fmt::format("image {} has a place or label that cannot be", i),
           reinterpret_cast<const char*>(&record) - file_.data());
    previous = record.name_end;
  }
}

std::string_view ImageIndex::name(int64_t image) const {
  const int64_t begin = image > 0 ? records_[image - 1].name_end : 0;
  return {names_ + begin, static_cast<size_t>(records_[image].name_end - begin)};
}

void ImageIndex::check_container(size_t number) const {
  const ImageContainer& container = facts_.containers[number];
  int64_t size = 0, modified = 0;
  if (!file_facts(container.path, size, modified))
    throw DataError(fmt::format("no such {}, which {} lists", container.folder ? "folder" : "file", path_),
                    container.path, std::string("put it back, or ") + remedy);
  if (size != container.size)
    throw DataError(fmt::format("{} bytes, where {} was made of {}", size, path_, container.size),
                    container.path, std::string("put the file back, or ") + remedy);
  if (modified != container.modified)
    throw DataError(fmt::format("changed since {} was made of it (its time is {:.10g} s {})", path_,
                                static_cast<double>(std::abs(modified - container.modified)) * 1e-9,
                                modified > container.modified ? "later" : "earlier"),
                    container.path, remedy);
}

void write_image_index(cluster::FileSystem& files, const std::string& path, const IndexFacts& facts,
                       const std::vector<IndexedImage>& images) {
  const std::string packed = pack_facts(facts);
  std::vector<IndexRecord> records;
  std::string names;
  for (const IndexedImage& image : images) {
    names += image.name;
    records.push_back({image.offset, static_cast<int64_t>(names.size()), static_cast<uint32_t>(image.size),
                       image.container, image.label, 0});
  }
  ImageIndexHeader header{};
  std::memcpy(header.magic, image_index_magic, sizeof header.magic);
  header.byte_order = image_index_byte_order;
  header.version = image_index_version;
  header.fact_bytes = static_cast<int64_t>(packed.size());
  header.images = static_cast<int64_t>(records.size());
  header.name_bytes = static_cast<int64_t>(names.size());
  header.fact_checksum = cluster::checksum(packed.data(), packed.size());
  header.record_checksum = cluster::checksum(records.data(), records.size() * sizeof(IndexRecord));
  header.name_checksum = cluster::checksum(names.data(), names.size());
  header.checksum = cluster::checksum(&header, offsetof(ImageIndexHeader, checksum));
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += packed;
  bytes.resize(static_cast<size_t>(image_records_at(header.fact_bytes)));
  bytes.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(IndexRecord));
  bytes += names;
  cluster::write_file_whole(files, path, bytes);
}

}  // namespace smoothlab::data
