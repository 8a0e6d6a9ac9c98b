#pragma once

#include <cstdint>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// A file of sentence pairs, in the byte order of the machine that wrote it:
///
///   header | tokens int32 | padding to 8 bytes | offsets int64 [2·pairs + 1] | footer
///
/// Tokens are source 0, target 0, source 1, target 1, …; offsets count tokens from the first: source i is
/// offsets[2i] … offsets[2i+1], target i goes on to offsets[2i+2].
struct PairFileHeader {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  int64_t source_size, target_size;
  SpecialTokens source_special, target_special;
  char source_digest[64], target_digest[64];  ///< hex SHA-256
  uint32_t checksum;                          ///< CRC-32 of all before it
  uint32_t zero;
};
static_assert(sizeof(PairFileHeader) == 200);

struct PairFileFooter {
  int64_t pairs;
  int64_t source_tokens, target_tokens;
  char fingerprint[64];  ///< hex SHA-256 of both digests of the header, all tokens and all offsets
  uint32_t token_checksum, offset_checksum;
  uint32_t checksum;  ///< CRC-32 of all before it
  char magic[4];
};
static_assert(sizeof(PairFileFooter) == 104);

constexpr char pair_file_magic[8] = {'S', 'M', 'P', 'A', 'I', 'R', 'S', '\n'};
constexpr char pair_file_end[4] = {'E', 'N', 'D', '\n'};
constexpr uint32_t pair_file_byte_order = 0x01020304, pair_file_version = 1;

/// Where the offsets begin.
constexpr int64_t pair_file_offsets_at(int64_t tokens) {
  return (static_cast<int64_t>(sizeof(PairFileHeader)) + 4 * tokens + 7) / 8 * 8;
}

}  // namespace smoothlab::data
