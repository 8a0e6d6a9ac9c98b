#include "data/tar_header.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace smoothlab::data {
namespace {

// Where a header's fields are, and how long they are.
constexpr size_t name_at = 0, name_bytes = 100;
constexpr size_t size_at = 124, size_bytes = 12;
constexpr size_t checksum_at = 148, checksum_bytes = 8;
constexpr size_t type_at = 156;
constexpr size_t magic_at = 257;
constexpr size_t prefix_at = 345, prefix_bytes = 155;

std::string text_of(const uint8_t* field, size_t most) {
  const auto* text = reinterpret_cast<const char*>(field);
  return {text, strnlen(text, most)};
}

/// Octal digits between blanks and NULs, or, with the first bit set, a number of base 256 as GNU tar writes
/// what octal has no room for. −1: neither, negative or too large.
int64_t number_of(const uint8_t* field, size_t count) {
  if (field[0] == 0x80) {
    uint64_t number = 0;
    for (size_t i = 1; i < count; ++i) {
      if (number >> 55) return -1;
      number = number << 8 | field[i];
    }
    return static_cast<int64_t>(number);
  }
  size_t i = 0;
  while (i < count && field[i] == ' ') ++i;
  int64_t number = 0;
  for (; i < count && field[i] >= '0' && field[i] <= '7'; ++i) number = number * 8 + (field[i] - '0');
  for (; i < count; ++i)
    if (field[i] != ' ' && field[i] != 0) return -1;
  return number;
}

bool checksum_fits(const uint8_t* block) {
  // Some old programs added up signed bytes.
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < static_cast<size_t>(tar_block_bytes); ++i) {
    const bool own = i >= checksum_at && i < checksum_at + checksum_bytes;
    const uint8_t byte = own ? ' ' : block[i];
    plain += byte;
    with_sign += static_cast<int8_t>(byte);
  }
  const int64_t written = number_of(block + checksum_at, checksum_bytes);
  return written == plain || written == with_sign;
}

bool begins(const uint8_t* block, const char* magic, size_t count) {
  return std::memcmp(block, magic, count) == 0;
}

}  // namespace

bool is_zero_block(const uint8_t* block) {
  return std::all_of(block, block + tar_block_bytes, [](uint8_t byte) { return byte == 0; });
}

std::string parse_tar_header(const uint8_t* block, TarHeader& header) {
  if (!checksum_fits(block)) {
    if (begins(block, "\x1f\x8b", 2) || begins(block, "BZh", 3) ||
        begins(block,
               "\xfd"
               "7zXZ",
               5) ||
        begins(block, "\x28\xb5\x2f\xfd", 4))
      return "a compressed archive, in which nothing can be read in place: unpack it";
    return "no header of a tar archive: its checksum differs";
  }
  header.name = text_of(block + name_at, name_bytes);
  header.type = block[type_at] ? static_cast<char>(block[type_at]) : '0';
  // GNU tar has other fields where ustar has the prefix, and a blank where its magic ends.
  if (begins(block + magic_at, "ustar\0", 6) && block[prefix_at])
    header.name = text_of(block + prefix_at, prefix_bytes) + "/" + header.name;
  header.size = number_of(block + size_at, size_bytes);
  if (header.size < 0) return "a size that is no number";
  return "";
}

std::string parse_pax(const std::string& text, PaxRecords& records) {
  // "27 path=n01440764/x.JPEG\n", the length counting itself and the newline.
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    const char* begin = text.data() + at;
    const auto parsed = std::from_chars(begin, text.data() + text.size(), length);
    const auto digits = static_cast<size_t>(parsed.ptr - begin);
    if (parsed.ec != std::errc() || length < digits + 3 || length > text.size() - at || *parsed.ptr != ' ' ||
        begin[length - 1] != '\n')
      return "a damaged extended header";
    const std::string record(parsed.ptr + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals == std::string::npos) return "a damaged extended header";
    const std::string key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") records.path = value;
    if (key.rfind("GNU.sparse", 0) == 0) records.sparse = true;
    if (key == "size") {
      const char* end = value.data() + value.size();
      const auto size = std::from_chars(value.data(), end, records.size);
      if (size.ec != std::errc() || size.ptr != end || records.size < 0) return "a size that is no number";
    }
    at += length;
  }
  return "";
}

}  // namespace smoothlab::data
