#include "data/text_lines.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "cluster/error.h"
#include "data/file_bytes.h"
#include "data/utf8.h"

namespace smoothlab::data {
namespace {

constexpr unsigned block_bytes = 1 << 18;
constexpr size_t longest_line = 1 << 20;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

struct TextLines::State {
  std::string path;
  bool packed = false;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file{nullptr, gzclose};
  std::vector<char> block;
  size_t used = 0, filled = 0;
  int64_t number = 0;

  /// False at the end of the file. zlib hands on plain files as they are.
  bool fill() {
    const int count = gzread(file.get(), block.data(), block_bytes);
    int code = Z_OK;
    const char* message = gzerror(file.get(), &code);
    const auto fail = [&](const std::string& reason) {
      throw DataError(reason, fmt::format("{}, after line {}", path, number), "bring the file anew");
    };
    if (code == Z_ERRNO) fail(fmt::format("cannot read: {}", std::strerror(errno)));
    if (count < 0) fail(fmt::format("damaged gzip file: {}", message));
    // zlib takes a file cut within a member for its end.
    if (count == 0 && code == Z_BUF_ERROR) fail("truncated gzip file");
    used = 0;
    filled = static_cast<size_t>(count);
    return count > 0;
  }

  bool raw_line(std::string& line) {
    line.clear();
    bool any = false;
    while (used < filled || fill()) {
      any = true;
      const char* begin = block.data() + used;
      const auto* end = static_cast<const char*>(std::memchr(begin, '\n', filled - used));
      const size_t count = end ? static_cast<size_t>(end - begin) : filled - used;
      line.append(begin, count);
      used += count + (end ? 1 : 0);
      if (line.size() > longest_line)
        throw DataError("a line of more than 1 MiB", fmt::format("{}, line {}", path, number + 1),
                        "name a text file with a sentence a line");
      if (end) break;
    }
    return any;
  }
};

TextLines::TextLines(const std::string& path) : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->packed = ends_with(path, ".gz");
  if (!is_file(path)) throw DataError("no such file", path, "name a text file, plain or .gz");
  state_->file.reset(gzopen(path.c_str(), "rb"));
  if (!state_->file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the file's permissions");
  gzbuffer(state_->file.get(), block_bytes);
  state_->block.resize(block_bytes);
  state_->fill();
  const bool plain = gzdirect(state_->file.get()) != 0;
  if (state_->packed && plain && state_->filled > 0)
    throw DataError("not a gzip file", path, "name a plain file without .gz, or pack this one");
  if (!state_->packed && !plain)
    throw DataError("a gzip file by another name", path, "give it a name that ends in .gz");
}

TextLines::~TextLines() = default;
TextLines::TextLines(TextLines&&) noexcept = default;

bool TextLines::next(std::string& line) {
  if (!state_->raw_line(line)) return false;
  ++state_->number;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (state_->number == 1 && line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);
  if (const size_t at = line.find('\0'); at != std::string::npos)
    throw DataError(fmt::format("a NUL at byte {} of the line", at), where(),
                    "this is no text; name a file in UTF-8");
  if (const size_t at = utf8_break(line); at != std::string::npos)
    throw DataError(
        fmt::format("byte {} of the line (0x{:02x}) is no UTF-8", at, static_cast<unsigned char>(line[at])),
        where(), "convert the file to UTF-8 (iconv)");
  std::replace(line.begin(), line.end(), '\r', ' ');
  return true;
}

int64_t TextLines::number() const {
  return state_->number;
}
int64_t TextLines::bytes_read() const {
  return gzoffset(state_->file.get());
}
const std::string& TextLines::path() const {
  return state_->path;
}
std::string TextLines::where() const {
  return fmt::format("{}, line {}", state_->path, state_->number);
}

}  // namespace smoothlab::data
