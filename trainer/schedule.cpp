#include "trainer/schedule.h"

#include <algorithm>
#include <cmath>

namespace smoothlab::trainer {

Schedule::Schedule(const ScheduleOptions& options, int64_t total_steps)
    : options_(options), total_steps_(total_steps) {}

bool Schedule::depends_on_length(const ScheduleOptions& options) {
  return options.name == "linear" || options.name == "cosine";
}

double Schedule::factor(int64_t step) const {
  const double ramp =
      step < options_.warmup ? static_cast<double>(step + 1) / static_cast<double>(options_.warmup) : 1.0;
  return ramp * shape(step);
}

double Schedule::shape(int64_t step) const {
  const double past_warmup = static_cast<double>(std::max<int64_t>(step - options_.warmup, 0));
  const double span = static_cast<double>(std::max<int64_t>(total_steps_ - options_.warmup, 1));
  const double x = std::min(past_warmup / span, 1.0);
  if (options_.name == "step") {
    const auto passed = std::upper_bound(options_.at.begin(), options_.at.end(), step) - options_.at.begin();
    return std::pow(options_.factor, static_cast<double>(passed));
  }
  if (options_.name == "linear") return 1.0 - (1.0 - options_.final_factor) * x;
  if (options_.name == "cosine") {
    const double pi = 3.14159265358979323846;
    return options_.final_factor + (1.0 - options_.final_factor) * 0.5 * (1.0 + std::cos(pi * x));
  }
  if (options_.name == "exponential") {
    const double periods = static_cast<double>(step) / static_cast<double>(options_.every);
    return std::pow(options_.factor, options_.staircase ? std::floor(periods) : periods);
  }
  if (options_.name == "inverse-square-root") {
    const double warmup = static_cast<double>(std::max<int64_t>(options_.warmup, 1));
    return std::sqrt(warmup / std::max(static_cast<double>(step + 1), warmup));
  }
  return 1.0;
}

}  // namespace smoothlab::trainer
