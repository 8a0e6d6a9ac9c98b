#include "eval/real_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;

constexpr const char* remedy =
    "give the published real.json, a list with a list of class numbers, 0 to 999, for each validation image";
constexpr int most_class = 999;

json parsed(const std::string& path) {
  const std::vector<uint8_t> bytes = data::read_file_bytes(path, remedy);
  try {
    return json::parse(bytes.begin(), bytes.end());
  } catch (const json::parse_error& error) {
    throw DataError("no JSON", fmt::format("{}, offset {}", path, std::max<size_t>(error.byte, 1) - 1),
                    remedy);
  } catch (const json::out_of_range&) {
    throw DataError("a number that is no class", path, remedy);
  }
}

int class_of(const json& number, const std::string& where) {
  if (!number.is_number_integer())
    throw DataError(fmt::format("a class that is no whole number but {}", number.type_name()), where, remedy);
  const bool inside = number.is_number_unsigned() ? number.get<uint64_t>() <= most_class : false;
  if (!inside)
    throw DataError(fmt::format("class {} is not in 0–{}", number.dump(), most_class), where, remedy);
  return number.get<int>();
}

std::vector<int> classes_of(const json& list, const std::string& where) {
  if (!list.is_array()) throw DataError("an item that is no list of classes", where, remedy);
  std::vector<int> classes;
  for (const json& number : list) {
    const int one = class_of(number, where);
    if (std::find(classes.begin(), classes.end(), one) != classes.end())
      throw DataError(fmt::format("class {} is there twice", one), where, remedy);
    classes.push_back(one);
  }
  return classes;
}

}  // namespace

RealLabels::RealLabels(const std::string& path) : path_(path) {
  const json lists = parsed(path);
  if (!lists.is_array() || lists.empty()) throw DataError("no JSON list of images", path, remedy);
  for (size_t i = 0; i < lists.size(); ++i)
    classes_.push_back(classes_of(lists[i], fmt::format("{}, item {}", path, i)));
}

bool RealLabels::holds(int64_t image, int64_t number) const {
  const auto& classes = of(image);
  return std::find(classes.begin(), classes.end(), number) != classes.end();
}

}  // namespace smoothlab::eval
