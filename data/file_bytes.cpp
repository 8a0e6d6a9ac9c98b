#include "data/file_bytes.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

constexpr unsigned block_bytes = 1 << 20;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::vector<uint8_t> read_plain(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the file's permissions");
  std::vector<uint8_t> bytes(std::filesystem::file_size(path));
  const size_t count = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (count != bytes.size())
    throw DataError(std::ferror(file.get()) ? fmt::format("cannot read: {}", std::strerror(errno))
                                            : "the file shrank while it was read",
                    fmt::format("{}, offset {}", path, count), "check the disk");
  return bytes;
}

std::vector<uint8_t> read_gzip(const std::string& path, const std::string& remedy) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the file's permissions");
  gzbuffer(file.get(), block_bytes);
  const auto fail = [&](const std::string& reason) {
    throw DataError(reason, fmt::format("{}, offset {}", path, gzoffset(file.get())), remedy);
  };
  std::vector<uint8_t> bytes;
  size_t used = 0;
  while (true) {
    bytes.resize(used + block_bytes);
    const int count = gzread(file.get(), bytes.data() + used, block_bytes);
    if (count < 0) {
      int code = 0;
      const char* message = gzerror(file.get(), &code);
      fail(fmt::format("damaged gzip file: {}", code == Z_ERRNO ? std::strerror(errno) : message));
    }
    used += count;
    if (count == 0) break;
  }
  bytes.resize(used);
  // zlib passes on what is not gzip at all, and takes a file cut within a member for its end.
  if (gzdirect(file.get())) fail("not a gzip file");
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (code == Z_BUF_ERROR) fail("truncated gzip file");
  return bytes;
}

}  // namespace

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::vector<uint8_t> read_file_bytes(const std::string& path, const std::string& remedy) {
  if (!is_file(path)) throw DataError("no such file", path, remedy);
  return ends_with(path, ".gz") ? read_gzip(path, remedy) : read_plain(path);
}

std::vector<std::string> read_lines(const std::string& path, const std::string& remedy) {
  const std::vector<uint8_t> bytes = read_file_bytes(path, remedy);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace smoothlab::data
