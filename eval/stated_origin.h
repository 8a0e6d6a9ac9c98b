#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "eval/logit_file.h"

namespace smoothlab::eval {

/// What a logit file states about where its rows come from: attributes of schema 1 by name, those that it
/// has. The recipe's text is left out, as are what concerns the file itself (rows, schema, complete).
using StatedOrigin = std::map<std::string, std::string>;

StatedOrigin stated_origin(const LogitFile& file);

/// An attribute, empty where it is not stated.
std::string stated(const StatedOrigin& origin, const std::string& name);
/// The same as a number; none where it is not stated or is no number.
std::optional<double> stated_number(const StatedOrigin& origin, const std::string& name);

/// Adds a key for each attribute; alpha, step and ranks as numbers.
void put_stated(const StatedOrigin& origin, nlohmann::json& object);

}  // namespace smoothlab::eval
