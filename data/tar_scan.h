#pragma once

#include <cstdint>
#include <string>

#include "data/positioned_file.h"
#include "data/tar_header.h"

namespace smoothlab::data {

struct TarMember {
  std::string name;    ///< as written, with its folders; a leading "./" is left out
  char type = '0';     ///< '0' plain file, '1' hard link, '2' symbolic link, '5' folder, …
  int64_t offset = 0;  ///< of its bytes, in the file
  int64_t size = 0;    ///< bytes
  bool plain() const { return type == '0' || type == '7'; }
  bool link() const { return type == '1' || type == '2'; }
};

/// The members of a tar archive, one after the other, by their headers alone: what they hold is neither read
/// nor unpacked. The archive may be a part of the file: a tar within a tar. Knows ustar, GNU tar and pax:
/// long names, sizes of 8 GiB and more.
class TarScan {
 public:
  /// The archive is the bytes [begin, end) of a file that outlives this. `name` is put into errors for an
  /// archive within another.
  TarScan(const PositionedFile& file, int64_t begin, int64_t end, std::string name = "");
  explicit TarScan(const PositionedFile& file) : TarScan(file, 0, file.size()) {}

  /// False at the end mark. Throws DataError with file, archive and offset: an archive that is cut (in a
  /// header, in a member, or without its end mark), a header that is damaged, something behind the end mark,
  /// a member in pieces (sparse, of several volumes).
  bool next(TarMember& member);

 private:
  [[noreturn]] void fail(const std::string& what, int64_t offset) const;
  void read_header(TarHeader& header);
  std::string read_text(const TarHeader& header);
  void check_rest() const;

  const PositionedFile& file_;
  int64_t begin_, next_, end_;
  std::string name_;
  bool done_ = false;
};

}  // namespace smoothlab::data
