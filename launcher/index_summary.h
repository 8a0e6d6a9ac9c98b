#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "data/prepare_imagenet.h"

namespace smoothlab::launcher {

/// What an index of images has, for people: classes, then a line a split and one for each kind of what was
/// skipped.
std::string index_text(const std::string& folder, const data::PreparedImages& prepared);
nlohmann::ordered_json index_json(const std::string& folder, const data::PreparedImages& prepared);

}  // namespace smoothlab::launcher
