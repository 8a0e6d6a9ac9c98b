#include "trainer/schedule.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace smoothlab::trainer {

Schedule::Schedule(const ScheduleOptions& options, int64_t total_steps,
                   std::shared_ptr<const data::BatchOrder> order)
    : options_(options), order_(std::move(order)), end_(time(total_steps)) {}

double Schedule::time(int64_t steps) const {
  return options_.unit == "epochs" ? order_->epochs(steps) : static_cast<double>(steps);
}

bool Schedule::depends_on_length(const ScheduleOptions& options) {
  return options.name == "linear" || options.name == "cosine";
}

double Schedule::factor(int64_t step) const {
  const double ramp =
      options_.warmup > 0 ? std::min(1.0, time(step + 1) / static_cast<double>(options_.warmup)) : 1.0;
  return ramp * shape(step);
}

double Schedule::shape(int64_t step) const {
  const double now = time(step), warm = static_cast<double>(options_.warmup);
  const double span = end_ > warm ? end_ - warm : 1.0;
  const double x = std::min(std::max(now - warm, 0.0) / span, 1.0);
  if (options_.name == "step") {
    const auto passed = std::count_if(options_.at.begin(), options_.at.end(), [now](int64_t boundary) {
      return static_cast<double>(boundary) <= now;
    });
    return std::pow(options_.factor, static_cast<double>(passed));
  }
  if (options_.name == "linear") return 1.0 - (1.0 - options_.final_factor) * x;
  if (options_.name == "cosine") {
    const double pi = 3.14159265358979323846;
    return options_.final_factor + (1.0 - options_.final_factor) * 0.5 * (1.0 + std::cos(pi * x));
  }
  if (options_.name == "exponential") {
    const double periods = now / static_cast<double>(options_.every);
    return std::pow(options_.factor, options_.staircase ? std::floor(periods) : periods);
  }
  if (options_.name == "inverse-square-root") {
    const double peak = std::max(warm, 1.0);
    return std::sqrt(peak / std::max(time(step + 1), peak));
  }
  return 1.0;
}

}  // namespace smoothlab::trainer
