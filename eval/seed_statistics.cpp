#include "eval/seed_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace smoothlab::eval {

SeedStatistics over_seeds(const std::vector<double>& values) {
  SeedStatistics s;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    s.low = s.count == 0 ? value : std::min(s.low, value);
    s.high = s.count == 0 ? value : std::max(s.high, value);
    ++s.count;
    s.mean += (value - s.mean) / s.count;
  }
  if (s.count < 2) return s;
  double squares = 0;
  for (const double value : values)
    if (std::isfinite(value)) squares += (value - s.mean) * (value - s.mean);
  s.deviation = std::sqrt(squares / (s.count - 1));
  return s;
}

std::string to_text(const SeedStatistics& s, int digits) {
  if (s.count == 0) return "–";
  if (s.count == 1) return fmt::format("{:.{}f} (1 run)", s.mean, digits);
  return fmt::format("{:.{}f} ± {:.{}f} ({} runs)", s.mean, digits, s.deviation, digits, s.count);
}

}  // namespace smoothlab::eval
