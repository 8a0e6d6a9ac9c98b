#pragma once

#include <string>

namespace smoothlab::data {

/// Lower-case hexadecimal digest of a file. algorithm: "md5" or "sha256", as published by the set's authors.
/// Throws DataError for a file that cannot be read, UsageError for another algorithm.
std::string file_digest(const std::string& path, const std::string& algorithm);

}  // namespace smoothlab::data
