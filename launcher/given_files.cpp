#include "launcher/given_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "eval/shard_names.h"

namespace smoothlab::launcher {

std::vector<std::string> whole_files(const std::vector<std::string>& given) {
  const auto shards = eval::shards_among(given);
  std::vector<std::string> files;
  for (const auto& file : given) {
    std::error_code code;
    const auto same = std::find_if(files.begin(), files.end(), [&](const auto& other) {
      return std::filesystem::equivalent(file, other, code);
    });
    const auto shard = shards.find(file);
    if (shard != shards.end())
      std::cerr << "note: " << file << " is left out: it is a part of " << shard->second << std::endl;
    else if (same != files.end())
      std::cerr << "note: " << file << " is left out: it is the same file as " << *same << std::endl;
    else
      files.push_back(file);
  }
  return files;
}

std::string numbered(size_t number, size_t files, const std::string& path) {
  return files == 1 ? path : fmt::format("{} of {}: {}", number, files, path);
}

}  // namespace smoothlab::launcher
