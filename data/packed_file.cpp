#include "data/packed_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

constexpr size_t block_bytes = size_t{1} << 18;
constexpr int gzip_alone = 15 + 16;  // zlib's windowBits

}  // namespace

struct PackedFile::State {
  std::string path, remedy;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{nullptr, std::fclose};
  std::vector<uint8_t> block;
  size_t used = 0, filled = 0;
  int64_t before = 0;  ///< bytes of the file before the block
  bool packed = false, in_member = false, in_padding = false;
  z_stream stream{};

  ~State() { inflateEnd(&stream); }

  int64_t offset() const { return before + static_cast<int64_t>(used); }

  [[noreturn]] void fail(const std::string& reason) const {
    throw DataError(reason, fmt::format("{}, offset {}", path, offset()), remedy);
  }

  /// False at the end of the file.
  bool fill() {
    before += static_cast<int64_t>(filled);
    used = filled = 0;
    filled = std::fread(block.data(), 1, block.size(), file.get());
    if (filled == 0 && std::ferror(file.get())) fail(fmt::format("cannot read: {}", std::strerror(errno)));
    return filled > 0;
  }

  size_t copy(uint8_t* into, size_t most) {
    if (used == filled && !fill()) return 0;
    const size_t count = std::min(most, filled - used);
    std::memcpy(into, block.data() + used, count);
    used += count;
    return count;
  }

  /// Between members; false where there is no further one.
  bool begin_member() {
    const bool first = offset() == 0;
    while (used < filled || fill()) {
      in_padding = in_padding || (!first && block[used] == 0);
      if (!in_padding) {
        inflateReset(&stream);
        return in_member = true;
      }
      if (block[used] != 0) fail("damaged gzip file: something else follows its end");
      ++used;
    }
    return false;
  }

  size_t unpack(uint8_t* into, size_t most) {
    stream.next_out = into;
    stream.avail_out = static_cast<uInt>(most);
    while (stream.avail_out == most) {
      if (!in_member && !begin_member()) return 0;
      if (used == filled && !fill()) fail("truncated gzip file");
      stream.next_in = block.data() + used;
      stream.avail_in = static_cast<uInt>(filled - used);
      const int code = inflate(&stream, Z_NO_FLUSH);
      used = filled - stream.avail_in;
      if (code == Z_STREAM_END)
        in_member = false;
      else if (code != Z_OK && code != Z_BUF_ERROR)
        fail(fmt::format("damaged gzip file: {}", stream.msg ? stream.msg : "needs a dictionary"));
    }
    return most - stream.avail_out;
  }
};

PackedFile::PackedFile(const std::string& path, std::string remedy) : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->remedy = std::move(remedy);
  state_->file.reset(std::fopen(path.c_str(), "rb"));
  if (!state_->file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the file's permissions");
  state_->block.resize(block_bytes);
  state_->packed =
      state_->fill() && state_->filled > 1 && state_->block[0] == 0x1f && state_->block[1] == 0x8b;
  if (state_->packed && inflateInit2(&state_->stream, gzip_alone) != Z_OK) throw std::bad_alloc();
}

PackedFile::~PackedFile() = default;
PackedFile::PackedFile(PackedFile&&) noexcept = default;

size_t PackedFile::read(void* into, size_t most) {
  if (most == 0) return 0;
  auto* bytes = static_cast<uint8_t*>(into);
  most = std::min(most, size_t{1} << 30);  // zlib counts in unsigned ints
  return state_->packed ? state_->unpack(bytes, most) : state_->copy(bytes, most);
}

bool PackedFile::packed() const {
  return state_->packed;
}
int64_t PackedFile::offset() const {
  return state_->offset();
}

bool has_packed_name(const std::string& path) {
  return path.size() >= 3 && path.compare(path.size() - 3, 3, ".gz") == 0;
}

}  // namespace smoothlab::data
