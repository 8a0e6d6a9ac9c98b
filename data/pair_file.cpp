#include "data/pair_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/file_header.h"

namespace smoothlab::data {
namespace {

constexpr const char* remedy = "prepare the corpus again: smoothlab data prepare text --force";
constexpr auto header_bytes = static_cast<int64_t>(sizeof(PairFileHeader));
constexpr auto footer_bytes = static_cast<int64_t>(sizeof(PairFileFooter));

Vocabulary vocabulary(int64_t size, const SpecialTokens& special, const char (&digest)[64]) {
  return {size, special, std::string(digest, sizeof digest)};
}

}  // namespace

PairFile::PairFile(const std::string& path) : path_(path), file_(path, remedy) {
  read_header();
  read_footer();
}

void PairFile::fail(const std::string& what, int64_t offset) const {
  throw DataError(what, fmt::format("{}, offset {}", path_, offset), remedy);
}

void PairFile::read_header() {
  const auto header =
      checked_header<PairFileHeader>(file_,
                                     {pair_file_magic, pair_file_byte_order, pair_file_version,
                                      "not a file of sentence pairs", "sentence pairs"},
                                     [this](const std::string& what, int64_t offset) { fail(what, offset); });
  source_vocabulary_ = vocabulary(header.source_size, header.source_special, header.source_digest);
  target_vocabulary_ = vocabulary(header.target_size, header.target_special, header.target_digest);
}

void PairFile::read_footer() {
  const auto bytes = static_cast<int64_t>(file_.size());
  const int64_t at = bytes - footer_bytes;
  if (at < header_bytes) fail("the file is cut", bytes);
  PairFileFooter footer{};
  std::memcpy(&footer, file_.data() + at, sizeof footer);
  if (std::memcmp(footer.magic, pair_file_end, sizeof footer.magic) != 0)
    fail("the file is cut, or something was added to it: it lacks its end mark", bytes - 4);
  if (footer.checksum != cluster::checksum(&footer, offsetof(PairFileFooter, checksum)))
    fail("a damaged footer: its checksum differs", at);
  // What is larger than the file is wrong, and what is not cannot overflow below.
  for (const int64_t count : {footer.pairs, footer.source_tokens, footer.target_tokens})
    if (count < 0 || count > bytes) fail(fmt::format("a footer that counts {} of something", count), at);
  const int64_t tokens = footer.source_tokens + footer.target_tokens;
  const int64_t offsets_at = pair_file_offsets_at(tokens);
  if (offsets_at + 8 * (2 * footer.pairs + 1) != at)
    fail(fmt::format("{} pairs of {} tokens do not fill {} bytes", footer.pairs, tokens, bytes), at);
  pairs_ = footer.pairs;
  fingerprint_.assign(footer.fingerprint, sizeof footer.fingerprint);
  tokens_ = reinterpret_cast<const int32_t*>(file_.data() + header_bytes);
  offsets_ = reinterpret_cast<const int64_t*>(file_.data() + offsets_at);
  check_offsets(footer);
  check_tokens(footer);
}

void PairFile::check_offsets(const PairFileFooter& footer) const {
  const int64_t tokens = footer.source_tokens + footer.target_tokens, count = 2 * pairs_ + 1;
  const int64_t at = pair_file_offsets_at(tokens);
  int64_t previous = 0, sources = 0;
  for (int64_t n = 0; n < count; ++n) {
    if (offsets_[n] < previous || offsets_[n] > tokens || (n == 0 && offsets_[n] != 0))
      fail(fmt::format("an offset of {} after {}, of {} tokens", offsets_[n], previous, tokens), at + 8 * n);
    if (n % 2 == 1) sources += offsets_[n] - previous;
    previous = offsets_[n];
  }
  if (previous != tokens || sources != footer.source_tokens)
    fail("offsets that do not add up to the tokens", at + 8 * (count - 1));
  if (footer.offset_checksum != cluster::checksum(offsets_, static_cast<size_t>(count) * 8))
    fail("damaged offsets: their checksum differs", at);
}

void PairFile::check_tokens(const PairFileFooter& footer) const {
  for (int64_t n = 0; n < 2 * pairs_; ++n) {
    const int64_t size = n % 2 == 0 ? source_vocabulary_.size : target_vocabulary_.size;
    for (const int32_t& token : side(n))
      if (token < 0 || token >= size)
        fail(fmt::format("token {} of a vocabulary of {}", token, size),
             header_bytes + 4 * (&token - tokens_));
  }
  const auto tokens = static_cast<size_t>(footer.source_tokens + footer.target_tokens);
  if (footer.token_checksum != cluster::checksum(tokens_, tokens * 4))
    fail("damaged tokens: their checksum differs", header_bytes);
}

}  // namespace smoothlab::data
