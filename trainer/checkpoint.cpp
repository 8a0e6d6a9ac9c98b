#include "trainer/checkpoint.h"

#include <algorithm>

namespace smoothlab::trainer {

std::string checkpoint_name(int64_t step) {
  return "step-" + std::to_string(step);
}

std::vector<int64_t> checkpoint_steps(const cluster::FileSystem& files, const std::string& folder) {
  std::vector<int64_t> steps;
  for (const auto& name : files.list(folder)) {
    const std::string digits = name.compare(0, 5, "step-") == 0 ? name.substr(5) : "";
    if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
      continue;
    const int64_t step = std::stoll(digits);
    if (checkpoint_name(step) == name) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

}  // namespace smoothlab::trainer
