#include "data/file_bytes.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <utility>

#include "cluster/error.h"
#include "data/packed_file.h"

namespace smoothlab::data {
namespace {

constexpr size_t block_bytes = size_t{1} << 20;

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
  PackedFile file(path, remedy);
  if (!file.packed()) throw DataError("not a gzip file", path, remedy);
  std::vector<uint8_t> bytes;
  for (size_t used = 0;;) {
    bytes.resize(used + block_bytes);
    const size_t count = file.read(bytes.data() + used, block_bytes);
    used += count;
    if (count > 0) continue;
    bytes.resize(used);
    return bytes;
  }
}

}  // namespace

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

void require_no_folder(const std::string& path, const std::string& remedy) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw DataError("a folder, not a file", path, remedy);
}

std::vector<uint8_t> read_file_bytes(const std::string& path, const std::string& remedy) {
  require_no_folder(path, remedy);
  if (!is_file(path)) throw DataError("no such file", path, remedy);
  return has_packed_name(path) ? read_gzip(path, remedy) : read_plain(path);
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
