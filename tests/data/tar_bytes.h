#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace smoothlab::test {

/// The header of a member, ustar.
inline std::string tar_header(const std::string& name, uint64_t size, char type = '0',
                              const std::string& prefix = "") {
  std::string block(512, '\0');
  const auto put = [&block](size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  if (size < uint64_t{1} << 33) {
    put(124, fmt::format("{:011o}", size));
  } else {
    block[124] = '\x80';
    for (size_t i = 0; i < 8; ++i) block[135 - i] = static_cast<char>(size >> (8 * i));
  }
  put(136, "00000000000");
  block[156] = type;
  put(257, std::string("ustar\00000", 8));
  put(345, prefix);
  put(148, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

/// Bytes and the zeros that fill their last block.
inline std::string tar_padded(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return bytes;
}

inline std::string tar_member(const std::string& name, const std::string& bytes, char type = '0') {
  return tar_header(name, bytes.size(), type) + tar_padded(bytes);
}

/// A member whose name is too long for a header, as GNU tar and as pax write it.
inline std::string gnu_long_member(const std::string& name, const std::string& bytes) {
  return tar_member("././@LongLink", name + '\0', 'L') + tar_member(name, bytes);
}

inline std::string pax_record(const std::string& key, const std::string& value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

inline std::string pax_member(const std::string& records, const std::string& name, const std::string& bytes) {
  return tar_member("PaxHeaders/x", records, 'x') + tar_member(name, bytes);
}

/// Two blocks of zeros, and more of them up to whole records of 10 KiB as tar writes them.
inline std::string tar_archive(std::string members) {
  members.append(1024, '\0');
  members.resize((members.size() + 10239) / 10240 * 10240);
  return members;
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace smoothlab::test
