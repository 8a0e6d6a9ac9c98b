#include "eval/sample_bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cluster/addressed_random.h"
#include "eval/calibration_report.h"
#include "foreign_file.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

/// Whether sample i is right: a fair coin.
bool is_right(int64_t sample) {
  return AddressedRandom(5, Purpose::generated_data, 0, static_cast<uint64_t>(sample)).uniform(0) < 0.5;
}

// All confidences 0.9, all rows of a sample right or wrong together: ECE is |mean right − 0.9| over samples,
// with the normal interval of a binomial, however many rows a sample has.
TEST(SampleBootstrap, HasTheWidthOfAMeanOverSamples) {
  for (const int64_t samples : {400, 20000}) {
    SampleBootstrap bootstrap(15, 1);
    for (int64_t row = 0; row < 5; ++row)  // rows of a sample need not be neighbours
      for (int64_t sample = 0; sample < samples; ++sample) bootstrap.add(sample, 13, 0.9, is_right(sample));
    const Interval interval = bootstrap.ece(2000);
    const double width = 2 * 1.96 * 0.5 / std::sqrt(static_cast<double>(samples));
    EXPECT_NEAR((interval.high - interval.low) / width, 1, 0.08) << samples;
    EXPECT_NEAR((interval.high + interval.low) / 2, 0.4, width) << samples;
  }
}

TEST(SampleBootstrap, IsAFunctionOfSeedAlone) {
  SampleBootstrap one(15, 1), other(15, 2);
  for (int64_t sample = 0; sample < 300; ++sample)
    for (auto* bootstrap : {&one, &other}) bootstrap->add(sample % 100, 13, 0.9, is_right(sample));
  const Interval a = one.ece(100), b = one.ece(100, 0.95, 3), c = other.ece(100);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, c.low);
}

TEST(SampleBootstrap, OneSampleHasNoWidth) {
  SampleBootstrap bootstrap(15, 1);
  for (int row = 0; row < 10; ++row) bootstrap.add(7, 13, 0.9, row < 5);
  const Interval interval = bootstrap.ece(50);
  EXPECT_NEAR(interval.low, 0.4, 1e-12);
  EXPECT_NEAR(interval.high, 0.4, 1e-12);
}

class SampleBootstrapTest : public testing::Test {
 protected:
  /// Rows of one logit that is certain to 0.9, right by sample.
  CalibrationReport report(const std::vector<int64_t>& ids, bool with_ids = true) const {
    {
      test::ForeignFile file(path);
      std::vector<float> logits;
      std::vector<int64_t> labels;
      for (const int64_t id : ids) {
        logits.insert(logits.end(), {std::log(9.0F), 0.0F});
        labels.push_back(is_right(id) ? 0 : 1);
      }
      file.dataset<float>("logits", {ids.size(), 2}, logits);
      file.dataset<int64_t>("labels", {ids.size()}, labels);
      if (with_ids) file.dataset<int64_t>("sample_id", {ids.size()}, ids);
    }
    CalibrationOptions options;
    options.fit = false;
    return analyse(LogitFile(path), options);
  }
  static double width(const CalibrationReport& report) {
    return report.unscaled.ece_ci95->high - report.unscaled.ece_ci95->low;
  }
  const test::TemporaryFolder folder;
  const std::string path = folder / "x.h5";
};

// Rows of one sentence used to be resampled as if they were independent: an interval of half the width.
TEST_F(SampleBootstrapTest, RowsOfOneSampleStayTogether) {
  std::vector<int64_t> once, in_order, interleaved;
  for (int64_t i = 0; i < 1000; ++i) once.push_back(i);
  for (int64_t i = 0; i < 4000; ++i) {
    in_order.push_back(i / 4);
    interleaved.push_back(i % 1000);
  }
  const auto rows = report(once), samples = report(in_order), mixed = report(interleaved);
  EXPECT_FALSE(rows.samples_repeat);
  EXPECT_TRUE(samples.samples_repeat);
  EXPECT_TRUE(mixed.samples_repeat);
  EXPECT_EQ(to_json(rows)["resampled"], "rows");
  EXPECT_EQ(to_json(samples)["resampled"], "samples");
  EXPECT_NEAR(width(samples) / width(rows), 1, 0.15);
  EXPECT_NEAR(width(mixed), width(samples), 1e-9);
  EXPECT_NEAR(width(report(in_order, false)) / width(rows), 0.5, 0.08)
      << "nothing says that rows belong together";
}

TEST_F(SampleBootstrapTest, IdsThatAreOutOfOrderNeedNotRepeat) {
  EXPECT_FALSE(report({5, 3, 9, 1}).samples_repeat);
  EXPECT_TRUE(report({5, 3, 9, 5}).samples_repeat);
}

}  // namespace
}  // namespace smoothlab::eval
