#include "launcher/run_values.h"

#include <nlohmann/json.hpp>

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Json json_of(const std::string& value) {
  const Json parsed = Json::parse(value, nullptr, false);
  return parsed.is_discarded() ? Json(value) : parsed;
}

}  // namespace

Json values_json(const RunValues& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) json[key] = json_of(value);
  return json;
}

RunValues without_seeds(const RunValues& values) {
  RunValues others;
  for (const auto& entry : values)
    if (!ends_with(entry.first, "train.seed") && !ends_with(entry.first, "task.data_seed"))
      others.push_back(entry);
  return others;
}

std::string plain_value(const std::string& value) {
  const Json json = json_of(value);
  return json.is_string() ? json.get<std::string>() : value;
}

}  // namespace smoothlab::launcher
