#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace smoothlab::data {

constexpr int64_t tar_block_bytes = 512;

/// The block before a member's bytes, in the formats of ustar, GNU tar and those before them.
struct TarHeader {
  std::string name;
  char type = '0';  ///< as in the file; '0' for the NUL of old archives
  int64_t size = 0;
};

/// Whether a block is all zeros, as the end of an archive is.
bool is_zero_block(const uint8_t* block);

/// What a block of 512 bytes says. Empty where all is well, else what is wrong: "its checksum differs".
std::string parse_tar_header(const uint8_t* block, TarHeader& header);

/// What an extended header (pax, types 'x' and 'g') says beyond the block after it.
struct PaxRecords {
  std::string path;   ///< empty: not said
  int64_t size = -1;  ///< −1: not said
  bool sparse = false;
};

/// Empty where all is well, else what is wrong.
std::string parse_pax(const std::string& text, PaxRecords& records);

}  // namespace smoothlab::data
