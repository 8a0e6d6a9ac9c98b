#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cluster/file_system.h"
#include "data/mapped_file.h"

namespace smoothlab::data {

/// What tells a binary file of ours from other files, and from such of other times and machines.
struct FileKind {
  const char (&magic)[8];
  uint32_t byte_order;  ///< 0x01020304, as the machine that writes it has it
  uint32_t version;
  const char* not_one;   ///< "not an index of images"
  const char* one_with;  ///< "an index": of a version
};

/// The header that a file begins with: magic, byte_order, version, whatever else, and a CRC-32 of all before
/// it. Where it is no such header, calls fail(what is wrong, offset), which throws.
template <typename Header, typename Fail>
Header checked_header(const MappedFile& file, const FileKind& kind, const Fail& fail) {
  const auto bytes = static_cast<int64_t>(file.size());
  Header header{};
  std::memcpy(&header, file.data(), std::min(file.size(), sizeof header));
  if (std::memcmp(header.magic, kind.magic, sizeof header.magic) != 0)
    fail(bytes < 8 ? "the file is cut" : kind.not_one, 0);
  if (bytes < static_cast<int64_t>(sizeof header)) fail("the file is cut within its header", bytes);
  if (header.byte_order != kind.byte_order)
    fail(header.byte_order == 0x04030201 ? "written on a machine of another byte order" : "a damaged header",
         offsetof(Header, byte_order));
  if (header.version != kind.version)
    fail(fmt::format("{} of version {}, where this program reads {}", kind.one_with, header.version,
                     kind.version),
         offsetof(Header, version));
  if (header.checksum != cluster::checksum(&header, offsetof(Header, checksum)))
    fail("a damaged header: its checksum differs", offsetof(Header, checksum));
  return header;
}

}  // namespace smoothlab::data
