#include "eval/exponential_sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace smoothlab::eval {
namespace {

// Against std::exp, at temperatures of which some are halves of others and some are not.
TEST(ExponentialSums, AreThoseOfTheLibrary) {
  const std::vector<double> grid = {0.125, 0.3, 0.5, 1, 1.7, 2, 3};
  const ExponentialSums sums(grid);
  std::mt19937 random(3);
  for (const float scale : {0.0F, 1e-3F, 1.0F, 20.0F, 1e4F, 1e30F})
    for (const int64_t classes : {2, 3, 1023, 1024, 1025, 5001}) {
      std::normal_distribution<float> normal(3, scale);
      std::vector<float> z;
      for (int64_t k = 0; k < classes; ++k) z.push_back(scale == 0 ? 3 : normal(random));
      const float most = *std::max_element(z.begin(), z.end());
      std::vector<double> found(grid.size());
      sums.of(z.data(), classes, most, found.data());
      for (size_t j = 0; j < grid.size(); ++j) {
        double wanted = 0;
        for (const float one : z) wanted += std::exp((double{one} - double{most}) / grid[j]);
        EXPECT_NEAR(found[j] / wanted, 1, 1e-13) << scale << ' ' << classes << ' ' << grid[j];
        if (scale > 0) continue;
        EXPECT_EQ(found[j], static_cast<double>(classes)) << "equal logits count exactly";
      }
    }
}

}  // namespace
}  // namespace smoothlab::eval
