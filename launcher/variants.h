#pragma once

#include <string>
#include <utility>
#include <vector>

namespace smoothlab::launcher {

/// Keys that vary together, and what they are at each point. Values are YAML.
struct Axis {
  std::vector<std::string> keys;
  std::vector<std::vector<std::string>> points;  ///< each has a value for every key
};

/// One run of several that differ in some keys.
struct Variant {
  std::string name;  ///< "alpha-0.1-seed-2", fit for a folder
  std::vector<std::pair<std::string, std::string>>
      values;  ///< {"targets.alpha", "0.1"}, in the order of axes
};

/// The axis of a list "key=value,value,...", as --each takes it. Commas within brackets belong to a value.
/// Throws UsageError for text of another form.
Axis axis_of(const std::string& list);

/// Every combination of the axes' points; those of the last change fastest. In names a key is its last part,
/// "alpha" of "targets.alpha", or the whole where two keys share that. Errors stand at `where`. Throws
/// UsageError for a key given twice, and values that would give two runs one name.
std::vector<Variant> expand_axes(const std::vector<Axis>& axes, const std::string& where);

}  // namespace smoothlab::launcher
