#include "eval/tempered_calibration.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smoothlab::eval {
namespace {

TEST(TemperedCalibration, IsWhatAPassForEachTemperatureGives) {
  const int64_t n = 200, classes = 7;
  std::vector<float> logits;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < classes; ++k)
      logits.push_back(static_cast<float>(3 * std::sin(static_cast<double>(i * 31 + k * 17))));
    labels.push_back(i * 5 % classes);
  }
  TemperedCalibration tempered({0.3, 1, 4}, classes);
  tempered.add(logits.data(), labels.data(), 50);
  tempered.add(logits.data() + 50 * classes, labels.data() + 50, n - 50);
  const auto solo = cluster::make_solo_communicator();
  tempered.sum_over(*solo);
  for (size_t t = 0; t < 3; ++t) {
    CalibrationSums alone;
    accumulate_calibration(logits.data(), labels.data(), n, classes, tempered.temperatures()[t], alone);
    EXPECT_EQ(tempered.sums(t).pack(), alone.pack()) << tempered.temperatures()[t];
  }
  EXPECT_LT(tempered.sums(2).nll, tempered.sums(0).nll) << "labels are chance";
}

}  // namespace
}  // namespace smoothlab::eval
