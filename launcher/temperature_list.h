#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// Temperatures as a command line gives them, rising and each once: "0.5,1,1.5", or "0.5:2:16", so many
/// evenly spaced from the first to the last, rounded to ten digits. Throws UsageError naming the option for
/// what is no list, a temperature outside 1/1000 … 1000, and a range that falls or has fewer than 2 or more
/// than 1000.
std::vector<double> temperature_list(const std::string& written, const std::string& option);

}  // namespace smoothlab::launcher
