#include "data/scan_journal.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace smoothlab::data {
namespace {

using Json = nlohmann::json;

constexpr const char* first_record = "smoothlab image scan 1";

/// Before each record.
struct RecordHead {
  uint32_t bytes, checksum;
};

std::string packed(const Json& json) {
  const std::vector<uint8_t> bytes = Json::to_cbor(json);
  return {bytes.begin(), bytes.end()};
}

std::string identity(const ImageSource& source, const ImagePart& part) {
  const ImageContainer& container = source.containers[part.container];
  return fmt::format("{}|{}|{}|{}|{}|{}|{}", layout_name(source.layout), container.folder, container.size,
                     container.modified, part.begin, part.end, container.path);
}

Json to_json(const ScannedPart& scanned) {
  Json images = Json::array(), skipped = Json::array();
  for (const ScannedImage& image : scanned.images)
    images.push_back({image.name, image.offset, image.size, image.label});
  for (const SkippedMembers& each : scanned.skipped) skipped.push_back({each.reason, each.count, each.first});
  return {images, skipped};
}

ScannedPart part_of(const Json& json) {
  ScannedPart scanned;
  for (const Json& image : json[0])
    scanned.images.push_back({image[0].get<std::string>(), image[1].get<int64_t>(), image[2].get<int64_t>(),
                              image[3].get<int64_t>()});
  for (const Json& each : json[1])
    scanned.skipped.push_back(
        {each[0].get<std::string>(), each[1].get<int64_t>(), each[2].get<std::vector<std::string>>()});
  return scanned;
}

}  // namespace

ScanJournal::ScanJournal(cluster::FileSystem& files, const std::string& path, bool fresh) {
  if (fresh) files.remove_all(path);
  const std::string bytes = files.exists(path) ? files.read(path) : "";
  const size_t whole = read(bytes);
  if (whole < bytes.size()) files.truncate(path, whole);
  file_ = files.append(path);
  if (whole == 0) append(packed(first_record));
}

/// Bytes of whole records.
size_t ScanJournal::read(const std::string& bytes) {
  size_t at = 0;
  while (bytes.size() - at >= sizeof(RecordHead)) {
    RecordHead head{};
    std::memcpy(&head, bytes.data() + at, sizeof head);
    const char* payload = bytes.data() + at + sizeof head;
    if (head.bytes > bytes.size() - at - sizeof head ||
        cluster::checksum(payload, head.bytes) != head.checksum)
      break;
    const Json record = Json::from_cbor(std::string_view(payload, head.bytes), true, false);
    if (at == 0 && record != Json(first_record)) return 0;
    if (at > 0) {
      if (!record.is_array() || record.size() != 2) break;
      parts_[record[0].get<std::string>()] = packed(record[1]);
    }
    at += sizeof head + head.bytes;
  }
  return at;
}

void ScanJournal::append(const std::string& payload) {
  const RecordHead head{static_cast<uint32_t>(payload.size()),
                        cluster::checksum(payload.data(), payload.size())};
  std::string record(sizeof head, '\0');
  std::memcpy(record.data(), &head, sizeof head);
  record += payload;
  file_->write(record.data(), record.size());
}

bool ScanJournal::find(const ImageSource& source, const ImagePart& part, ScannedPart& scanned) const {
  const auto found = parts_.find(identity(source, part));
  if (found == parts_.end()) return false;
  scanned = part_of(Json::from_cbor(found->second));
  return true;
}

void ScanJournal::add(const ImageSource& source, const ImagePart& part, const ScannedPart& scanned) {
  const std::string payload = packed(Json::array({identity(source, part), to_json(scanned)}));
  const std::lock_guard<std::mutex> hold(mutex_);
  append(payload);
}

}  // namespace smoothlab::data
