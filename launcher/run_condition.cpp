#include "launcher/run_condition.h"

#include <algorithm>
#include <cstdlib>

#include "trainer/known_keys.h"

namespace smoothlab::launcher {

std::string value_of(const trainer::Recipe& recipe, const std::string& key) {
  return trainer::key_at(key, {"value of a key", false}).write(recipe);
}

bool passes(const trainer::Recipe& recipe, const StudyCondition& condition) {
  const std::string value = value_of(recipe, condition.key);
  // Both sides are as recipes write them, so that equal numbers are equal text.
  const bool listed =
      std::find(condition.values.begin(), condition.values.end(), value) != condition.values.end();
  if (condition.how == "=") return listed;
  if (condition.how == "!=") return !listed;
  const double left = std::strtod(value.c_str(), nullptr);
  const double right = std::strtod(condition.values.front().c_str(), nullptr);
  if (condition.how == "<") return left < right;
  if (condition.how == "<=") return left <= right;
  if (condition.how == ">") return left > right;
  return left >= right;
}

}  // namespace smoothlab::launcher
