#pragma once

#include <string>

namespace smoothlab::data {

/// What comes after the last slash.
std::string base_name(const std::string& path);
/// "n01440764_10026" of "train/n01440764_10026.JPEG".
std::string image_stem(const std::string& path);
/// Whether a file is a JPEG by its name (.JPEG, .jpg, …) and not hidden, as macOS's "._x.JPEG" are.
bool has_image_name(const std::string& path);
bool has_tar_name(const std::string& path);
/// "n" and eight digits: a WordNet id of a noun.
bool is_synset(const std::string& text);

}  // namespace smoothlab::data
