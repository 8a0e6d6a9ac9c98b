#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// One run of several that differ in some keys.
struct Variant {
  std::string name;                   ///< "alpha-0.1-seed-2", fit for a folder
  std::vector<std::string> settings;  ///< "targets.alpha=0.1", as --set takes them
};

/// Every combination of "key=value,value,..." lists; the last list's values change fastest. Commas within
/// brackets belong to a value. Throws UsageError for text of another form, a key given twice, and values that
/// would give two runs one name.
std::vector<Variant> expand_variants(const std::vector<std::string>& lists);

}  // namespace smoothlab::launcher
