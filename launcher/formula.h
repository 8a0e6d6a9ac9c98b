#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trainer/recipe_places.h"

namespace smoothlab::launcher {

/// A value of a study that begins with "=": either one name, whose value it is whatever its type
/// ("=teachers.run"), something in a run's folder ("=teachers.run/logits/train.h5"), or arithmetic over names
/// and numbers ("=0.1*train.global_batch/128") with + - * / ^, ?
/// :, comparisons, and sqrt, exp, ln, log2, log10, abs, min, max, rint, floor, ceil and the like
/// (muParser's).
class Formula {
 public:
  /// text: with its "=". `key` is what it is the value of. stages: whose names may have hyphens, which are no
  /// minus before their dot. Throws UsageError for what is no formula.
  Formula(const std::string& text, const std::string& key, const trainer::Place& place,
          const std::vector<std::string>& stages = {});

  static bool is_formula(const std::string& value) { return value.rfind('=', 0) == 0; }

  /// That it uses, sorted.
  const std::vector<std::string>& names() const { return names_; }

  /// The value as YAML, of the values of its names as YAML. A whole number is written as one. Throws
  /// UsageError where a name in arithmetic is no number, or the result is none.
  std::string value(const std::function<std::string(const std::string&)>& value_of) const;

 private:
  std::string text_;  ///< without "=", hyphens of stages as hyphen_in_name
  std::string where_;
  bool is_name_ = false;
  std::string below_;  ///< "/logits/train.h5"; empty: the name alone
  std::vector<std::string> names_;
};

}  // namespace smoothlab::launcher
