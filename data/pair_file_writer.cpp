#include "data/pair_file_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "data/pair_file_layout.h"

namespace smoothlab::data {
namespace {

void put(char (&place)[64], const std::string& digest) {
  std::memcpy(place, digest.data(), std::min(digest.size(), sizeof place));
}

PairFileHeader header_of(const Vocabulary& source, const Vocabulary& target) {
  PairFileHeader header{};
  std::memcpy(header.magic, pair_file_magic, sizeof header.magic);
  header.byte_order = pair_file_byte_order;
  header.version = pair_file_version;
  header.source_size = source.size;
  header.target_size = target.size;
  header.source_special = source.special;
  header.target_special = target.special;
  put(header.source_digest, source.digest);
  put(header.target_digest, target.digest);
  header.checksum = cluster::checksum(&header, offsetof(PairFileHeader, checksum));
  return header;
}

}  // namespace

PairFileWriter::PairFileWriter(cluster::FileSystem& files, const std::string& folder, const std::string& name,
                               const Vocabulary& source, const Vocabulary& target)
    : file_(files, folder, name), digest_("sha256", name) {
  const PairFileHeader header = header_of(source, target);
  file_.write(&header, sizeof header);
  digest_.add(header.source_digest, sizeof header.source_digest + sizeof header.target_digest);
}

void PairFileWriter::add_side(const std::vector<int32_t>& tokens) {
  const size_t bytes = tokens.size() * sizeof(int32_t);
  file_.write(tokens.data(), bytes);
  digest_.add(tokens.data(), bytes);
  token_checksum_ = cluster::checksum(tokens.data(), bytes, token_checksum_);
  offsets_.push_back(offsets_.back() + static_cast<int64_t>(tokens.size()));
}

void PairFileWriter::add(const std::vector<int32_t>& source, const std::vector<int32_t>& target) {
  add_side(source);
  add_side(target);
  source_tokens_ += static_cast<int64_t>(source.size());
}

ListedFile PairFileWriter::finish() {
  const int64_t tokens = offsets_.back();
  const char padding[8] = {};
  file_.write(padding, static_cast<size_t>(pair_file_offsets_at(tokens) - file_.bytes()));
  const size_t bytes = offsets_.size() * sizeof(int64_t);
  file_.write(offsets_.data(), bytes);
  digest_.add(offsets_.data(), bytes);
  PairFileFooter footer{};
  footer.pairs = static_cast<int64_t>(offsets_.size() / 2);
  footer.source_tokens = source_tokens_;
  footer.target_tokens = tokens - source_tokens_;
  fingerprint_ = digest_.hexadecimal();
  put(footer.fingerprint, fingerprint_);
  footer.token_checksum = token_checksum_;
  footer.offset_checksum = cluster::checksum(offsets_.data(), bytes);
  footer.checksum = cluster::checksum(&footer, offsetof(PairFileFooter, checksum));
  std::memcpy(footer.magic, pair_file_end, sizeof footer.magic);
  file_.write(&footer, sizeof footer);
  return file_.finish();
}

}  // namespace smoothlab::data
