#pragma once

#include <cstdint>

namespace smoothlab::data {

/// An index of images, in the byte order of the machine that wrote it:
///
///   header | facts, CBOR | padding to 8 bytes | IndexRecord [images] | names, one after the other
///
/// Facts say what all splits share: classes, containers, splits in the order of their records, the request.
/// Records are sorted by name within a split.
struct ImageIndexHeader {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  int64_t fact_bytes;
  int64_t images;
  int64_t name_bytes;
  uint32_t fact_checksum, record_checksum, name_checksum;  ///< CRC-32
  uint32_t checksum;                                       ///< of all before it
};
static_assert(sizeof(ImageIndexHeader) == 56);

struct IndexRecord {
  int64_t offset;      ///< in the container; 0 where it is a folder
  int64_t name_end;    ///< in the names; a name begins where the one before ends
  uint32_t size;       ///< bytes
  uint32_t container;  ///< its place in the list
  int32_t label;
  uint32_t zero;
};
static_assert(sizeof(IndexRecord) == 32);

constexpr char image_index_magic[8] = {'S', 'M', 'I', 'M', 'A', 'G', 'E', '\n'};
constexpr uint32_t image_index_byte_order = 0x01020304, image_index_version = 1;

/// Where the records begin.
constexpr int64_t image_records_at(int64_t fact_bytes) {
  return (static_cast<int64_t>(sizeof(ImageIndexHeader)) + fact_bytes + 7) / 8 * 8;
}

}  // namespace smoothlab::data
