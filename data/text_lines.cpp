#include "data/text_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "cluster/error.h"
#include "data/file_bytes.h"
#include "data/packed_file.h"
#include "data/utf8.h"

namespace smoothlab::data {
namespace {

constexpr size_t block_bytes = size_t{1} << 18;
constexpr size_t longest_line = size_t{1} << 20;

PackedFile open_text(const std::string& path) {
  require_no_folder(path, "name a text file, plain or .gz");
  if (!is_file(path)) throw DataError("no such file", path, "name a text file, plain or .gz");
  return PackedFile(path);
}

}  // namespace

struct TextLines::State {
  explicit State(const std::string& name) : path(name), file(open_text(name)), block(block_bytes) {}

  std::string path;
  PackedFile file;
  std::vector<char> block;
  size_t used = 0, filled = 0;
  int64_t number = 0;

  /// False at the end of the file.
  bool fill() {
    used = 0;
    filled = file.read(block.data(), block.size());
    return filled > 0;
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

TextLines::TextLines(const std::string& path) : state_(std::make_unique<State>(path)) {
  const bool packed = state_->file.packed();
  if (has_packed_name(path) && !packed && state_->fill())
    throw DataError("not a gzip file", path, "name a plain file without .gz, or pack this one");
  if (!has_packed_name(path) && packed)
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
  return state_->file.offset();
}
const std::string& TextLines::path() const {
  return state_->path;
}
std::string TextLines::where() const {
  return fmt::format("{}, line {}", state_->path, state_->number);
}

}  // namespace smoothlab::data
