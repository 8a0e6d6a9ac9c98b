#pragma once

#include <string>
#include <vector>

namespace smoothlab {

/// The known name with the smallest edit distance to what was written (swapped neighbours count as one edit);
/// empty where none is near enough to be meant.
std::string nearest_name(const std::string& written, const std::vector<std::string>& known);

/// The remedy of an error about a name: "did you mean 'alpha'?", or the known names.
std::string suggest_name(const std::string& written, const std::vector<std::string>& known);

}  // namespace smoothlab
