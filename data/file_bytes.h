#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// True for an existing plain file.
bool is_file(const std::string& path);
/// Throws DataError, "a folder, not a file", for one; `remedy` says what to do.
void require_no_folder(const std::string& path, const std::string& remedy);

/// A whole file in memory. A name that ends in ".gz" is unpacked (several members too). `remedy` says what to
/// do where the file is missing or unreadable. Throws DataError with the path and, where known, the offset.
std::vector<uint8_t> read_file_bytes(const std::string& path, const std::string& remedy);

/// Lines of a text file without trailing blanks; empty lines are left out.
std::vector<std::string> read_lines(const std::string& path, const std::string& remedy);

}  // namespace smoothlab::data
