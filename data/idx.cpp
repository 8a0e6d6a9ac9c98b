#include "data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

constexpr int unsigned_byte = 0x08;

DataError damaged(const std::string& what, const std::string& path, size_t offset,
                  const std::string& remedy) {
  return DataError(what, fmt::format("{}, offset {}", path, offset), remedy);
}

const std::vector<int> image_dimensions = {3, 4}, label_dimensions = {1};

std::string find_any(const std::string& folder, const std::string& stem, const std::vector<int>& dimensions) {
  std::string path;
  for (size_t i = 0; i < dimensions.size() && path.empty(); ++i) path = find_idx(folder, stem, dimensions[i]);
  return path;
}

std::string required(const std::string& folder, const std::string& stem, const std::vector<int>& dimensions,
                     const std::string& remedy) {
  std::string path = find_any(folder, stem, dimensions);
  if (!path.empty()) return path;
  throw DataError("no such file, nor with .gz",
                  fmt::format("{}/{}", folder, idx_name(stem, dimensions.front())), remedy);
}

LabelledImages read_part(const std::string& folder, const std::string& image_stem,
                         const std::string& label_stem, const std::string& remedy) {
  const std::string image_path = required(folder, image_stem, image_dimensions, remedy);
  const std::string label_path = required(folder, label_stem, label_dimensions, remedy);
  IdxArray images = read_idx(image_path, remedy);
  const IdxArray labels = read_idx(label_path, remedy);
  const size_t dimensions = images.sizes.size();
  if (dimensions != 3 && dimensions != 4)
    throw damaged(fmt::format("images with {} dimensions, not 3 or 4", dimensions), image_path, 3, remedy);
  if (labels.sizes.size() != 1)
    throw damaged(fmt::format("labels with {} dimensions, not 1", labels.sizes.size()), label_path, 3,
                  remedy);
  if (labels.sizes[0] != images.sizes[0])
    throw damaged(
        fmt::format("{} labels for the {} images of {}", labels.sizes[0], images.sizes[0], image_path),
        label_path, 4, remedy);
  for (size_t d = 0; d < dimensions; ++d)
    if (images.sizes[d] < 1) throw damaged("an image set without images", image_path, 4 + 4 * d, remedy);

  LabelledImages result;
  result.height = images.sizes[1];
  result.width = images.sizes[2];
  result.channels = dimensions == 4 ? images.sizes[3] : 1;
  result.pixels = std::move(images.elements);
  result.labels.assign(labels.elements.begin(), labels.elements.end());
  result.origin = label_path;
  return result;
}

void name_classes(LabelledImages& images, int64_t classes, const std::string& remedy) {
  for (int64_t i = 0; i < images.size(); ++i)
    if (images.labels[i] >= classes)
      throw damaged(
          fmt::format("label {} of record {} is not below {} classes", images.labels[i], i, classes),
          images.origin, 8 + i, remedy);
  for (int64_t c = 0; c < classes; ++c) images.class_names.push_back(std::to_string(c));
}

}  // namespace

IdxArray read_idx(const std::string& path, const std::string& remedy) {
  std::vector<uint8_t> bytes = read_file_bytes(path, remedy);
  const size_t has = bytes.size();
  if (has < 4) throw damaged(fmt::format("truncated: has {} of at least 4 bytes", has), path, has, remedy);
  if (bytes[0] || bytes[1])
    throw damaged(fmt::format("not an IDX file: begins with {:02x} {:02x}, not 00 00", bytes[0], bytes[1]),
                  path, 0, remedy);
  if (bytes[2] != unsigned_byte)
    throw damaged(fmt::format("element type 0x{:02x}, only unsigned bytes (0x08) are read", bytes[2]), path,
                  2, remedy);
  const size_t dimensions = bytes[3], head = 4 + 4 * dimensions;
  if (dimensions < 1 || dimensions > 8)
    throw damaged(fmt::format("{} dimensions", dimensions), path, 3, remedy);
  if (has < head)
    throw damaged(fmt::format("truncated: has {} of at least {} bytes", has, head), path, has, remedy);
  IdxArray array;
  uint64_t elements = 1;
  for (size_t d = 0; d < dimensions; ++d) {
    const uint8_t* b = bytes.data() + 4 + 4 * d;
    const uint64_t size = uint64_t{b[0]} << 24 | uint64_t{b[1]} << 16 | uint64_t{b[2]} << 8 | b[3];
    array.sizes.push_back(static_cast<int64_t>(size));
    if (size && elements > (uint64_t{1} << 48) / size)
      throw damaged("sizes that no file can have", path, 4 + 4 * d, remedy);
    elements *= size;
  }
  if (has < head + elements)
    throw damaged(fmt::format("truncated: has {} of {} bytes", has, head + elements), path, has, remedy);
  if (has > head + elements)
    throw damaged(fmt::format("has {} bytes where its header says {}", has, head + elements), path,
                  head + elements, remedy);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head));
  array.elements = std::move(bytes);
  return array;
}

std::string idx_name(const std::string& stem, int dimensions) {
  return fmt::format("{}-idx{}-ubyte", stem, dimensions);
}

std::string find_idx(const std::string& folder, const std::string& stem, int dimensions) {
  for (const char* end : {"", ".gz"})
    for (const char* joint : {"-", "."}) {
      std::string path = fmt::format("{}/{}{}idx{}-ubyte{}", folder, stem, joint, dimensions, end);
      if (is_file(path)) return path;
    }
  return {};
}

std::vector<std::string> idx_files(const std::string& folder) {
  std::vector<std::string> files = {find_any(folder, IdxNames::train_images, image_dimensions),
                                    find_any(folder, IdxNames::train_labels, label_dimensions),
                                    find_any(folder, IdxNames::test_images, image_dimensions),
                                    find_any(folder, IdxNames::test_labels, label_dimensions)};
  files.erase(std::remove(files.begin(), files.end(), ""), files.end());
  return files;
}

ImageSplits open_idx(const std::string& folder, int64_t classes, const std::string& remedy) {
  LabelledImages train = read_part(folder, IdxNames::train_images, IdxNames::train_labels, remedy);
  LabelledImages test = read_part(folder, IdxNames::test_images, IdxNames::test_labels, remedy);
  if (test.height != train.height || test.width != train.width || test.channels != train.channels)
    throw DataError(fmt::format("test images are {}x{}x{}, training images {}x{}x{}", test.height, test.width,
                                test.channels, train.height, train.width, train.channels),
                    test.origin, remedy);
  if (!classes) classes = 1 + *std::max_element(train.labels.begin(), train.labels.end());
  name_classes(train, classes, remedy);
  name_classes(test, classes, remedy);
  return {std::make_shared<const LabelledImages>(std::move(train)),
          std::make_shared<const LabelledImages>(std::move(test))};
}

}  // namespace smoothlab::data
