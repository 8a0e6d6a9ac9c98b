#include "data/tar_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

constexpr int64_t longest_text = 1 << 20;     // of names and extended headers
constexpr int64_t looked_behind = 256 << 10;  // bytes after the end mark; tapes pad to 10 KiB or so

/// Members in the files are followed by zeros up to whole blocks.
int64_t padded(int64_t size) {
  return (size + tar_block_bytes - 1) / tar_block_bytes * tar_block_bytes;
}

}  // namespace

TarScan::TarScan(const PositionedFile& file, int64_t begin, int64_t end, std::string name)
    : file_(file), begin_(begin), next_(begin), end_(end), name_(std::move(name)) {}

void TarScan::fail(const std::string& what, int64_t offset) const {
  throw DataError(what,
                  fmt::format("{}{}{}, offset {}", file_.path(), name_.empty() ? "" : ", ", name_, offset),
                  "bring the archive anew, and compare its size and digest with those published");
}

/// Leaves next_ behind the header; done_ where the archive ends instead.
void TarScan::read_header(TarHeader& header) {
  if (next_ == begin_ && next_ >= end_) fail("an empty file, and no tar archive", next_);
  if (next_ > end_ - tar_block_bytes)
    fail("the archive is cut: it lacks its end mark", std::min(next_, end_));
  uint8_t block[tar_block_bytes];
  file_.read(next_, block, sizeof block, name_);
  const int64_t at = next_;
  next_ += tar_block_bytes;
  if (is_zero_block(block)) {
    check_rest();
    done_ = true;
    return;
  }
  const std::string problem = parse_tar_header(block, header);
  if (!problem.empty()) fail(problem, at);
}

/// Names and extended headers lie where other members have their bytes.
std::string TarScan::read_text(const TarHeader& header) {
  if (header.size > longest_text)
    fail(fmt::format("a name or extended header of {} bytes", header.size), next_ - tar_block_bytes);
  if (header.size > end_ - next_) fail("the archive is cut within a header", end_);
  std::string text(static_cast<size_t>(header.size), '\0');
  file_.read(next_, text.data(), text.size(), name_);
  next_ += padded(header.size);
  return text;
}

void TarScan::check_rest() const {
  // Archives that were put one behind the other: all but the first would be lost without a word.
  std::vector<uint8_t> rest(static_cast<size_t>(std::min(end_ - next_, looked_behind)));
  file_.read(next_, rest.data(), rest.size(), name_);
  const auto other = std::find_if(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; });
  if (other != rest.end())
    fail("something follows the archive's end mark, as where archives were joined",
         next_ + (other - rest.begin()));
}

bool TarScan::next(TarMember& member) {
  std::string long_name;
  PaxRecords pax;
  while (!done_) {
    TarHeader header;
    read_header(header);
    if (done_) break;
    const int64_t at = next_ - tar_block_bytes;
    if (header.type == 'L') {
      long_name = read_text(header);
      long_name.resize(std::min(long_name.find('\0'), long_name.size()));
    } else if (header.type == 'x') {
      const std::string problem = parse_pax(read_text(header), pax);
      if (!problem.empty()) fail(problem, at);
    } else if (header.type == 'K' || header.type == 'g' || header.type == 'V') {
      if (header.size > end_ - next_) fail("the archive is cut within a header", end_);
      next_ += padded(header.size);  // a link's target, what holds for all, the volume's label
    } else {
      member.name = !pax.path.empty() ? pax.path : !long_name.empty() ? long_name : header.name;
      while (member.name.rfind("./", 0) == 0) member.name.erase(0, 2);
      member.type = header.type;
      if (member.plain() && !member.name.empty() && member.name.back() == '/') member.type = '5';
      if (header.type == 'S' || header.type == 'M' || pax.sparse)
        fail(fmt::format("member '{}' is in pieces (sparse, or of several volumes)", member.name), at);
      member.size = pax.size >= 0 ? pax.size : header.size;
      // Links, devices and folders have no bytes, whatever their size says.
      if (member.type >= '1' && member.type <= '6') member.size = 0;
      member.offset = next_;
      if (member.size > end_ - next_)
        fail(fmt::format("the archive is cut: member '{}' has {} bytes, of which {} are there", member.name,
                         member.size, end_ - next_),
             at);
      next_ += padded(member.size);
      return true;
    }
  }
  return false;
}

}  // namespace smoothlab::data
