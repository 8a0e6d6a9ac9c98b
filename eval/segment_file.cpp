#include "eval/segment_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "cluster/error.h"
#include "data/file_bytes.h"
#include "eval/unicode_text.h"

namespace smoothlab::eval {
namespace {

constexpr const char* remedy = "give a text file with one segment a line, or - for stdin";

std::string read_stream(std::FILE* stream, const std::string& name) {
  std::string text;
  constexpr size_t block = size_t{1} << 20;
  while (true) {
    const size_t used = text.size();
    text.resize(used + block);
    const size_t count = std::fread(text.data() + used, 1, block, stream);
    text.resize(used + count);
    if (count == block) continue;
    if (std::ferror(stream))
      throw DataError(fmt::format("cannot read: {}", std::strerror(errno)),
                      fmt::format("{}, offset {}", name, text.size()), remedy);
    return text;
  }
}

std::string read_text(const std::string& path, const std::string& name) {
  namespace fs = std::filesystem;
  if (path == "-") return read_stream(stdin, name);
  std::error_code ignored;
  const auto kind = fs::status(path, ignored).type();
  if (kind == fs::file_type::fifo || kind == fs::file_type::character) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file)
      throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                      "check the file's permissions");
    return read_stream(file.get(), name);
  }
  const std::vector<uint8_t> bytes = data::read_file_bytes(path, remedy);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

SegmentFile::SegmentFile(const std::string& path)
    : name_(path == "-" ? "stdin" : path), text_(read_text(path, name_)) {
  if (text_.empty()) throw DataError("no segments: the file is empty", name_, remedy);
  const std::string_view text = text_;
  const auto line_of = [&](size_t at) {
    return static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<int64_t>(at), '\n')) + 1;
  };
  const size_t bad = ill_formed_utf8(text);
  if (bad != std::string_view::npos)
    throw DataError(fmt::format("not UTF-8: byte 0x{:02X}", static_cast<unsigned char>(text[bad])),
                    fmt::format("{}, line {}", name_, line_of(bad)), "convert the file to UTF-8");
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) line_with_nul_ = line_of(nul);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    segments_.push_back(right_stripped(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

void require_same_length(const SegmentFile& hypotheses, const SegmentFile& references) {
  const size_t ours = hypotheses.segments().size(), theirs = references.segments().size();
  if (ours != theirs)
    throw DataError(fmt::format("{} hypotheses and {} references", ours, theirs),
                    hypotheses.name() + " and " + references.name(), "give one line a segment in each file");
}

}  // namespace smoothlab::eval
