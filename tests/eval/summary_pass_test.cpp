#include "eval/summary_pass.h"

#include <gmock/gmock.h>

#include <cmath>

#include "cluster/error.h"
#include "eval/calibration_page.h"
#include "eval/calibration_report.h"
#include "summary_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SummaryPass : public testing::Test {
 protected:
  void write(const LogitRows& rows, int64_t classes) const {
    test::write_rows(full, rows, classes);
    test::write_rows(summary, rows, classes, summary_shape(classes));
  }
  json of_full(const CalibrationOptions& options = {}) const {
    return to_json(analyse(LogitFile(full), options));
  }
  json of_summary(const CalibrationOptions& options = {}) const {
    return to_json(analyse(test::summary_file(summary), options));
  }
  const test::TemporaryFolder folder;
  const std::string full = folder / "full.h5", summary = folder / "summary.h5";
};

/// All figures but those of `absent`, which are null.
void expect_same(const json& found, const json& wanted, double tolerance, const std::string& suffix,
                 const std::vector<std::string>& absent) {
  for (const char* name : {"nll", "brier", "ece", "ece_standard", "ece_guo", "ece_torchmetrics",
                           "ece_adaptive", "ece_classwise", "ece_debiased", "mce"}) {
    const std::string key = name + suffix;
    if (std::count(absent.begin(), absent.end(), name) > 0) {
      EXPECT_TRUE(found.at(key).is_null()) << key;
      continue;
    }
    ASSERT_TRUE(found.at(key).is_number()) << key;
    EXPECT_NEAR(found[key].get<double>(), wanted.at(key).get<double>(), tolerance) << key;
  }
  const json &bins = found.at("bins" + suffix), &as = wanted.at("bins" + suffix);
  ASSERT_EQ(bins.size(), as.size());
  for (size_t b = 0; b < bins.size(); ++b) {
    EXPECT_EQ(bins[b]["count"], as[b]["count"]);
    if (bins[b]["count"] == 0) continue;
    EXPECT_NEAR(bins[b]["confidence"].get<double>(), as[b]["confidence"].get<double>(), tolerance);
    EXPECT_EQ(bins[b]["accuracy"], as[b]["accuracy"]);
  }
  for (size_t end = 0; end < 2; ++end)
    EXPECT_NEAR(found.at("ece_ci95" + suffix)[end].get<double>(),
                wanted.at("ece_ci95" + suffix)[end].get<double>(), tolerance);
}

TEST_F(SummaryPass, GivesTheFiguresOfTheFullFileAtTheTemperaturesOfTheGrid) {
  for (const int64_t classes : {3, 40, 2000}) {
    write(test::gaussian_rows(600, classes, 3), classes);
    for (const double t : {0.25, 0.5, 1.0, std::exp2(5 / 16.0), 4.0}) {
      SCOPED_TRACE(std::to_string(classes) + " classes at " + std::to_string(t));
      CalibrationOptions options;
      options.temperature = t;
      options.bootstrap = 100;
      const json wanted = of_full(options), found = of_summary(options);
      EXPECT_EQ(found["accuracy"], wanted["accuracy"]);
      EXPECT_EQ(found["top5_accuracy"], wanted["top5_accuracy"]);
      EXPECT_EQ(found["resampled"], "samples");
      expect_same(found, wanted, 3e-7, "", {"ece_classwise"});
      if (t < 0.5)
        expect_same(found, wanted, 3e-7, "_scaled", {"ece_classwise", "brier"});
      else
        expect_same(found, wanted, 3e-7, "_scaled", {"ece_classwise"});
    }
  }
}

TEST_F(SummaryPass, FitsTheTemperatureOfTheFullFile) {
  CalibrationOptions options;
  options.bootstrap = 100;
  for (const float scale : {0.8F, 2.0F, 4.0F}) {
    write(test::gaussian_rows(1500, 300, 11, scale, 3 * scale), 300);
    const json wanted = of_full(options), found = of_summary(options);
    SCOPED_TRACE(wanted["temperature"].dump());
    EXPECT_EQ(found["temperature_end"], "interior");
    EXPECT_EQ(wanted["temperature_end"], "interior");
    EXPECT_NEAR(found["temperature"].get<double>() / wanted["temperature"].get<double>(), 1, 1e-6);
    for (size_t half = 0; half < 2; ++half)
      EXPECT_NEAR(found["temperatures_held_out"][half].get<double>() /
                      wanted["temperatures_held_out"][half].get<double>(),
                  1, 1e-6);
    for (const char* suffix : {"_scaled", "_held_out"}) {
      if (found["temperature"].get<double>() < 0.5)
        expect_same(found, wanted, 1e-6, suffix, {"ece_classwise", "brier"});
      else
        expect_same(found, wanted, 1e-6, suffix, {"ece_classwise"});
    }
  }
}

TEST_F(SummaryPass, EndsWhereItsGridEnds) {
  write(test::gaussian_rows(200, 10, 5, 0.1F, 30), 10);  // every row is right
  EXPECT_EQ(of_summary()["temperature_end"], "lower_bound");
  EXPECT_EQ(of_summary()["temperature"], 0.25);
  LogitRows wrong = test::gaussian_rows(200, 10, 5, 0.1F, 30);
  for (int64_t& label : wrong.labels) label = (label + 1) % 10;
  write(wrong, 10);
  EXPECT_EQ(of_summary()["temperature_end"], "upper_bound");
  CalibrationOptions options;
  options.temperature = 4.5;
  try {
    of_summary(options);
    FAIL() << "taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("temperature 4.5 is outside 0.25–4, which the summary holds"));
  }
  options = {};
  options.gamma = {1};
  EXPECT_THROW(of_summary(options), UsageError);
}

// exp(−log 10) is not 0.1, where a bin begins.
TEST_F(SummaryPass, KeepsConfidencesOnEdgesInTheirBins) {
  for (const int64_t classes : {3, 5, 10}) {
    LogitRows equal = test::gaussian_rows(50, classes, 1);
    std::fill(equal.logits.begin(), equal.logits.end(), 1.7F);
    write(equal, classes);
    for (const int bins : {10, 15, 30}) {
      CalibrationOptions options;
      options.bins = bins;
      const json wanted = of_full(options), found = of_summary(options);
      expect_same(found, wanted, 1e-12, "", {"ece_classwise"});
      EXPECT_EQ(found["temperature_end"], "flat");
    }
  }
}

TEST_F(SummaryPass, SaysWhatASummaryDoesNotTell) {
  write(test::gaussian_rows(100, 40, 3), 40);
  const CalibrationReport report = analyse(test::summary_file(summary));
  EXPECT_TRUE(report.summary);
  const std::string text = to_table({report});
  EXPECT_THAT(text, HasSubstr("note: Read from a summary: classwise ECE is not in it, Brier only at "
                              "temperatures of 0.5 and more"));
  EXPECT_THAT(text, HasSubstr(" - "));
  EXPECT_THAT(text, testing::Not(HasSubstr("nan")));
  EXPECT_THAT(calibration_page({report}), testing::Not(HasSubstr(">nan<")));
  EXPECT_EQ(of_summary()["summary"], true);
  EXPECT_EQ(of_full()["summary"], false);
}

TEST_F(SummaryPass, HasNoTop5OfFewerLogits) {
  const LogitRows rows = test::gaussian_rows(100, 40, 3);
  test::write_rows(summary, rows, 40, SummaryShape{3, summary_temperatures()});
  EXPECT_TRUE(of_summary()["top5_accuracy"].is_null());
  EXPECT_TRUE(of_summary()["accuracy"].is_number());
}

TEST_F(SummaryPass, NamesABadLabel) {
  LogitRows rows = test::gaussian_rows(100, 40, 3);
  test::write_rows(summary, rows, 40, summary_shape(40));
  {
    const hid_t file = H5Fopen(summary.c_str(), H5F_ACC_RDWR, H5P_DEFAULT),
                labels = H5Dopen2(file, "labels", H5P_DEFAULT);
    rows.labels[17] = 40;
    H5Dwrite(labels, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.labels.data());
    H5Dclose(labels);
    H5Fclose(file);
  }
  try {
    of_summary();
    FAIL() << "taken";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("label 40 of row 17"));
  }
}

}  // namespace
}  // namespace smoothlab::eval
