#include "data/shard_pattern.h"

#include <fmt/format.h>
#include <glob.h>

#include <charconv>
#include <cstdint>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

constexpr int64_t most_shards = 1000000;

int64_t number_of(const std::string& text, const std::string& pattern) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0)
    throw DataError(fmt::format("braces with '{}' in them", text), pattern,
                    "write two numbers, such as {000000..001281}");
  return number;
}

/// Both numbers are written with as many digits as the first.
std::vector<std::string> with_numbers(const std::string& pattern) {
  const size_t open = pattern.find('{'), close = pattern.find('}', open), dots = pattern.find("..", open);
  if (open == std::string::npos) return {pattern};
  if (close == std::string::npos || dots == std::string::npos || dots > close)
    throw DataError("braces without two numbers", pattern, "write them such as {000000..001281}");
  const std::string first = pattern.substr(open + 1, dots - open - 1);
  const int64_t low = number_of(first, pattern),
                high = number_of(pattern.substr(dots + 2, close - dots - 2), pattern);
  if (high < low || high - low >= most_shards)
    throw DataError(fmt::format("braces that go from {} to {}", low, high), pattern,
                    "write the smaller number first");
  std::vector<std::string> names;
  for (int64_t number = low; number <= high; ++number)
    for (const std::string& rest : with_numbers(pattern.substr(close + 1)))
      names.push_back(fmt::format("{}{:0{}}{}", pattern.substr(0, open), number, first.size(), rest));
  return names;
}

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  const int code = glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> names;
  for (size_t i = 0; i < found.gl_pathc; ++i) names.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  if (code != 0 || names.empty())
    throw DataError("no file matches", pattern, "check the pattern, and that the shell left it as it is");
  return names;
}

}  // namespace

bool is_shard_pattern(const std::string& path) {
  return path.find_first_of("*?[{") != std::string::npos;
}

std::vector<std::string> matching_shards(const std::string& pattern) {
  std::vector<std::string> shards;
  for (const std::string& name : with_numbers(pattern)) {
    if (name.find_first_of("*?[") != std::string::npos) {
      for (const std::string& match : matches(name)) shards.push_back(match);
    } else if (is_file(name)) {
      shards.push_back(name);
    } else {
      throw DataError("a shard is missing", name, "bring it, or name fewer");
    }
  }
  return shards;
}

}  // namespace smoothlab::data
