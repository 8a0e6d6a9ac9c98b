#include "data/cifar.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

constexpr int64_t side = 32, channels = 3, plane = side * side, image_bytes = channels * plane;

struct Format {
  int64_t classes, label_bytes;
  int64_t record_bytes() const { return label_bytes + image_bytes; }
};

Format format_of(Cifar kind) {
  return kind == Cifar::ten ? Format{10, 1} : Format{100, 2};
}

/// A file cut between two records looks like a shorter one that is whole; its neighbours tell.
void require_all_published_or_none(Cifar kind, const std::string& folder, const std::string& remedy) {
  std::vector<std::string> files = cifar_train_files(kind);
  files.push_back(cifar_test_file(kind));
  std::string published, other;
  int64_t records = 0;
  for (const std::string& file : files) {
    const std::string path = folder + "/" + file;
    if (!is_file(path)) continue;  // said by who reads it
    const auto has = static_cast<int64_t>(std::filesystem::file_size(path)) / cifar_record_bytes(kind);
    if (has == cifar_published_records(kind, file)) {
      published = file;
    } else if (other.empty()) {
      other = file;
      records = has;
    }
  }
  if (published.empty() || other.empty()) return;
  throw DataError(fmt::format("has {} records where the published file has {}, while {} is as published",
                              records, cifar_published_records(kind, other), published),
                  fmt::format("{}/{}, offset {}", folder, other, records * cifar_record_bytes(kind)), remedy);
}

/// Planes to interleaved pixels.
void interleave(const uint8_t* planes, uint8_t* pixels) {
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t c = 0; c < channels; ++c) pixels[i * channels + c] = planes[c * plane + i];
}

}  // namespace

std::vector<std::string> cifar_train_files(Cifar kind) {
  if (kind == Cifar::hundred) return {"train.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

std::string cifar_test_file(Cifar kind) {
  return kind == Cifar::ten ? "test_batch.bin" : "test.bin";
}

std::string cifar_names_file(Cifar kind) {
  return kind == Cifar::ten ? "batches.meta.txt" : "fine_label_names.txt";
}

std::string cifar_folder(Cifar kind) {
  return kind == Cifar::ten ? "cifar-10-batches-bin" : "cifar-100-binary";
}

int64_t cifar_published_records(Cifar kind, const std::string& file) {
  return kind == Cifar::hundred && file == "train.bin" ? 50000 : 10000;
}

int64_t cifar_record_bytes(Cifar kind) {
  return format_of(kind).record_bytes();
}

LabelledImages read_cifar(Cifar kind, const std::string& folder, const std::vector<std::string>& files,
                          const std::string& remedy) {
  const Format format = format_of(kind);
  LabelledImages result;
  result.height = result.width = side;
  result.channels = channels;
  result.origin = folder;
  const std::string names = folder + "/" + cifar_names_file(kind);
  result.class_names = read_lines(names, remedy);
  if (result.classes() != format.classes)
    throw DataError(fmt::format("{} class names, not {}", result.classes(), format.classes), names, remedy);
  for (const std::string& file : files) {
    const std::string path = fmt::format("{}/{}", folder, file);
    const std::vector<uint8_t> bytes = read_file_bytes(path, remedy);
    const int64_t length = static_cast<int64_t>(bytes.size());
    const int64_t records = length / format.record_bytes();
    if (records == 0 || length % format.record_bytes())
      throw DataError(
          fmt::format("{} bytes are not a whole number of {}-byte records", length, format.record_bytes()),
          fmt::format("{}, offset {}", path, records * format.record_bytes()), remedy);
    const int64_t before = result.size();
    result.pixels.resize((before + records) * image_bytes);
    for (int64_t i = 0; i < records; ++i) {
      const int64_t offset = i * format.record_bytes() + format.label_bytes - 1;
      const int label = bytes[offset];
      if (label >= format.classes)
        throw DataError(fmt::format("label {} is not below {}", label, format.classes),
                        fmt::format("{}, record {}, offset {}", path, i, offset), remedy);
      result.labels.push_back(label);
      interleave(bytes.data() + offset + 1, result.pixels.data() + (before + i) * image_bytes);
    }
  }
  return result;
}

ImageSplits open_cifar(Cifar kind, const std::string& folder, const std::string& remedy) {
  require_all_published_or_none(kind, folder, remedy);
  return {std::make_shared<const LabelledImages>(read_cifar(kind, folder, cifar_train_files(kind), remedy)),
          std::make_shared<const LabelledImages>(read_cifar(kind, folder, {cifar_test_file(kind)}, remedy))};
}

}  // namespace smoothlab::data
