#include "launcher/study_values.h"

#include <fmt/format.h>

#include <cmath>
#include <regex>

#include "cluster/error.h"
#include "launcher/study_map.h"
#include "trainer/known_keys.h"
#include "trainer/strict_yaml.h"

namespace smoothlab::launcher {
namespace {

/// More runs than this on one axis are a slip.
constexpr int64_t most_values = 100000;

class Lister {
 public:
  Lister(const std::string& key, const std::string& file, const std::string& path)
      : key_(key), file_(file), path_(path) {}

  void add(const YAML::Node& node, const trainer::Place& place) {
    if (node.IsMap())
      add_spaced(node, place);
    else if (node.IsScalar() && node.Tag() == "?" && std::regex_match(node.Scalar(), range_form()))
      add_range(node.Scalar(), place);
    else
      add_value(setting_text(node), place);
  }

  static const std::regex& range_form() {
    static const std::regex form("([-+]?[0-9]{1,18})\\.\\.([-+]?[0-9]{1,18})");
    return form;
  }

  std::vector<std::string> values;

 private:
  void add_value(const std::string& text, const trainer::Place& place) {
    if (text.rfind('=', 0) == 0)
      throw UsageError(fmt::format("a formula, '{}', in a list", text), place.at(path_),
                       "give it under 'set', where each run has its own value of it");
    values.push_back(trainer::canonical_value(trainer::key_at(key_, place), text, place));
  }

  void add_range(const std::string& text, const trainer::Place& place) {
    std::smatch ends;
    std::regex_match(text, ends, range_form());
    const int64_t from = std::stoll(ends[1]), to = std::stoll(ends[2]);
    require(from <= to, fmt::format("the range {} holds nothing", text), place, "write it as 1..5");
    require(to - from < most_values, fmt::format("the range {} holds {} values", text, to - from + 1), place,
            "is it meant?");
    for (int64_t value = from; value <= to; ++value) add_value(std::to_string(value), place);
  }

  void add_spaced(const YAML::Node& node, const trainer::Place& place) {
    const StudyMap map(node, file_, path_, place, {"from", "to", "step", "count"});
    const double from = map.number("from"), to = map.number("to");
    require(map.has("step") != map.has("count"), "a range needs a step or a count", place,
            "write {from: 0, to: 0.5, step: 0.1} or {from: 0, to: 0.5, count: 6}");
    double step = 0;
    int64_t count = 1;
    if (map.has("step")) {
      step = map.number("step");
      const double steps = (to - from) / step;
      require(std::isfinite(steps) && steps >= 0 && steps < most_values, "a range that never ends", place,
              "let the step go from 'from' to 'to'");
      count = static_cast<int64_t>(std::floor(steps + 1e-9)) + 1;
    } else {
      count = map.integer("count");
      require(count >= 1 && count <= most_values && (count > 1 || from == to),
              fmt::format("{} numbers from {} to {}", count, from, to), place, "give a count of at least 2");
      if (count > 1) step = (to - from) / static_cast<double>(count - 1);
    }
    // Twelve digits, so that 3 · 0.1 is 0.3.
    for (int64_t i = 0; i < count; ++i)
      add_value(fmt::format("{:.12g}", from + static_cast<double>(i) * step), place);
  }

  void require(bool holds, const std::string& what, const trainer::Place& place,
               const std::string& remedy) const {
    if (!holds) throw UsageError(what, place.at(path_), remedy);
  }

  const std::string &key_, &file_, &path_;
};

}  // namespace

std::vector<std::string> listed_values(const YAML::Node& node, const std::string& key,
                                       const std::string& file, const std::string& path,
                                       const trainer::Place& place) {
  Lister lister(key, file, path);
  const bool range =
      node.IsMap() || (node.IsScalar() && std::regex_match(node.Scalar(), Lister::range_form()));
  if (!node.IsSequence() && !range)
    throw UsageError(fmt::format("'{}' must be a list of values", path), place.at(path),
                     "write it as [0, 0.1] or [1..5]");
  if (range)
    lister.add(node, place);
  else
    for (const auto& entry : node) lister.add(entry, trainer::place_of(entry, file));
  if (lister.values.empty())
    throw UsageError(fmt::format("'{}' lists nothing", path), place.at(path), "give it a value");
  return lister.values;
}

}  // namespace smoothlab::launcher
