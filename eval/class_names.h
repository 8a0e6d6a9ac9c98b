#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// /class_names of a logit file, optional: string [K], what the classes (of text: the tokens) are called.
/// Written as UTF-8 of any length; strings of fixed length and of ASCII are read too.

/// Throws EnvironmentError.
void write_class_names(hid_t file, const std::vector<std::string>& names, const std::string& path);

/// Empty where the file has none. Throws DataError where there are not `classes` of them, or no strings.
std::vector<std::string> read_class_names(hid_t file, int64_t classes, const std::string& path);

}  // namespace smoothlab::eval
