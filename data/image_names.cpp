#include "data/image_names.h"

#include <algorithm>
#include <cctype>

namespace smoothlab::data {
namespace {

/// In lower case, without its dot; empty for a name without one.
std::string ending(const std::string& path) {
  const std::string name = base_name(path);
  const size_t dot = name.find_last_of('.');
  if (dot == std::string::npos) return "";
  std::string text = name.substr(dot + 1);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_hidden(const std::string& path) {
  return base_name(path).rfind('.', 0) == 0;
}

}  // namespace

std::string base_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

std::string image_stem(const std::string& path) {
  const std::string name = base_name(path);
  return name.substr(0, name.find_last_of('.'));
}

bool has_image_name(const std::string& path) {
  const std::string kind = ending(path);
  return !is_hidden(path) && (kind == "jpeg" || kind == "jpg");
}

bool has_tar_name(const std::string& path) {
  return !is_hidden(path) && ending(path) == "tar";
}

bool is_synset(const std::string& text) {
  return text.size() == 9 && text[0] == 'n' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace smoothlab::data
