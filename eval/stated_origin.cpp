#include "eval/stated_origin.h"

#include <nlohmann/json.hpp>

namespace smoothlab::eval {

using nlohmann::json;

StatedOrigin stated_origin(const LogitFile& file) {
  StatedOrigin origin;
  for (const char* name :
       {"task", "split", "model", "step", "alpha", "convention", "recipe_hash", "code_version", "ranks", "stand_ins"}) {
    const std::string value = file.attribute(name);
    if (!value.empty()) origin[name] = value;
  }
  return origin;
}

std::string stated(const StatedOrigin& origin, const std::string& name) {
  const auto found = origin.find(name);
  return found == origin.end() ? "" : found->second;
}

std::optional<double> stated_number(const StatedOrigin& origin, const std::string& name) {
  const json value = json::parse(stated(origin, name), nullptr, false);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

void put_stated(const StatedOrigin& origin, json& object) {
  for (const auto& [name, value] : origin) {
    const bool numeric = name == "alpha" || name == "step" || name == "ranks" || name == "stand_ins";
    const json number = numeric ? json::parse(value, nullptr, false) : json();
    object[name] = number.is_number() ? number : json(value);
  }
}

}  // namespace smoothlab::eval
