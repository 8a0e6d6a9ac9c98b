#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// A figure over runs that differ in their seed alone.
struct SeedStatistics {
  int count = 0;  ///< runs
  double mean = 0;
  double deviation = 0;  ///< of the sample, with n − 1; 0 for one run
  double low = 0, high = 0;
};

/// Values that are not finite are left out; of none at all the count is 0.
SeedStatistics over_seeds(const std::vector<double>& values);

/// "72.13 ± 0.31 (5 runs)", "72.13 (1 run)"; a dash of none.
std::string to_text(const SeedStatistics& statistics, int digits);

}  // namespace smoothlab::eval
