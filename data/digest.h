#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace smoothlab::data {

/// Lower-case hexadecimal digest of a file. algorithm: "md5" or "sha256", as published by the set's authors.
/// Throws DataError for a file that cannot be read, UsageError for another algorithm.
std::string file_digest(const std::string& path, const std::string& algorithm);

/// Lower-case hexadecimal SHA-256 of blocks of memory, one after the other.
std::string sha256(const std::vector<std::pair<const void*, size_t>>& blocks);

}  // namespace smoothlab::data
