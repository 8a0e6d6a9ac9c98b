#include "eval/calibration_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "foreign_file.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;
using test::ForeignFile;
using testing::HasSubstr;

struct Rows {
  int64_t classes = 0;
  std::vector<float> logits;
  std::vector<int64_t> labels;
  int64_t rows() const { return static_cast<int64_t>(labels.size()); }
};

void write(const std::string& path, const Rows& rows, const test::Storage& storage = {}) {
  ForeignFile file(path);
  const auto n = static_cast<hsize_t>(rows.rows());
  file.dataset<float>("logits", {n, static_cast<hsize_t>(rows.classes)}, rows.logits, storage);
  file.dataset<int64_t>("labels", {n}, rows.labels);
}

uint64_t splitmix(uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// As generated() of calibration_reference.py.
Rows generated(int64_t n, int64_t classes, int64_t scale, uint64_t right, uint64_t seed) {
  Rows made{classes, {}, {}};
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < classes; ++k) {
      const uint64_t h = splitmix((seed << 40) + static_cast<uint64_t>(i * classes + k));
      int64_t total = 0;
      for (int shift : {0, 16, 32, 48}) total += static_cast<int64_t>(h >> shift & 0xFFFF);
      made.logits.push_back(static_cast<float>(static_cast<double>((total - 2 * 65536) * scale) / 65536));
    }
    const uint64_t h = splitmix((seed << 40) + (uint64_t{1} << 39) + static_cast<uint64_t>(i));
    const auto row = made.logits.end() - classes;
    made.labels.push_back((h & 255) < right
                              ? std::max_element(row, made.logits.end()) - row
                              : static_cast<int64_t>((h >> 8) % static_cast<uint64_t>(classes)));
  }
  return made;
}

Rows rows_of(const json& source) {
  if (!source.contains("logits"))
    return generated(source["rows"], source["classes"], source["scale"], source["right"], source["seed"]);
  Rows rows{static_cast<int64_t>(source["logits"][0].size()), {}, source["labels"]};
  for (const auto& row : source["logits"])
    for (float z : row) rows.logits.push_back(z);
  return rows;
}

class CalibrationReportTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "x.h5";

  CalibrationReport report(const Rows& rows, const CalibrationOptions& options = {}) const {
    write(path, rows);
    return analyse(LogitFile(path), options);
  }
};

// The figures were made in float64 by tests/eval/reference/calibration_reference.py, which states how.
TEST_F(CalibrationReportTest, AgreesWithAnIndependentReferenceToOneInAMillion) {
  std::ifstream stream(test::source_path("tests/eval/reference/calibration_reference.json"));
  const json cases = json::parse(stream);
  ASSERT_EQ(cases.size(), 10U);
  for (const json& wanted : cases) {
    CalibrationOptions options;
    options.bins = wanted["bins"];
    options.seed = wanted["seed"];
    options.bootstrap = 0;
    const json got = to_json(report(rows_of(wanted["source"]), options));
    for (const auto& [key, value] : wanted["expected"].items()) {
      SCOPED_TRACE(wanted["name"].get<std::string>() + ": " + key);
      ASSERT_TRUE(got.contains(key));
      if (value.is_number() && key.rfind("temperature", 0) == 0)
        EXPECT_NEAR(got[key].get<double>() / value.get<double>(), 1, 1e-6);
      else if (value.is_number())
        EXPECT_NEAR(got[key].get<double>(), value.get<double>(), 1e-6);
      else if (key == "temperatures_held_out")
        for (size_t half : {0, 1})
          EXPECT_NEAR(got[key][half].get<double>() / value[half].get<double>(), 1, 1e-6);
      else
        EXPECT_EQ(got[key], value);
    }
  }
}

TEST_F(CalibrationReportTest, GuoEdgesDecideWhatEceMeans) {
  CalibrationOptions options;
  options.edges = BinEdges::guo;
  options.bootstrap = 0;
  const json got = to_json(report({3, {1, 1, 1, 3, 0, 0}, {0, 1}}, options));
  EXPECT_EQ(got["ece"], got["ece_guo"]);
  EXPECT_EQ(got["bins"][4]["count"], 1) << "1/3 closes the fifth bin";
  EXPECT_EQ(got["edges"], "guo");
}

/// More than the rows that are sampled into memory.
Rows many_rows() {
  return generated(2500, 2048, 6, 140, 11);
}

TEST_F(CalibrationReportTest, StreamedRowsGiveWhatRowsInMemoryGive) {
  const Rows rows = many_rows();
  CalibrationOptions options;
  options.bootstrap = 50;
  const CalibrationReport streamed = report(rows, options);
  const TemperatureFit fit =
      fit_temperature(rows.logits.data(), rows.labels.data(), rows.rows(), rows.classes);
  EXPECT_NEAR(streamed.fit->temperature, fit.temperature, 1e-6 * fit.temperature);
  CalibrationSums sums;
  accumulate_calibration(rows.logits.data(), rows.labels.data(), rows.rows(), rows.classes, fit.temperature,
                         sums);
  EXPECT_NEAR(streamed.scaled->nll, sums.mean_nll(), 1e-7);
  EXPECT_NEAR(streamed.scaled->ece, sums.ece(), 1e-6);
  EXPECT_NEAR(streamed.held_out->nll, streamed.scaled->nll, 0.01);

  const std::string first = to_json(streamed).dump();
  for (int threads : {1, 2, 5}) {
    options.threads = threads;
    EXPECT_EQ(to_json(analyse(LogitFile(path), options)).dump(), first) << threads << " threads";
  }
}

TEST_F(CalibrationReportTest, ASampleThatMisleadsCostsAPassAndNoAccuracy) {
  Rows rows = many_rows();
  // The rows that are sampled, 16 blocks of 16 from the first row to the last, want a temperature eight times
  // as high as the rest.
  for (int64_t i = 0; i < 16; ++i)
    for (int64_t j = 2484 * i / 15 * 2048; j < (2484 * i / 15 + 16) * 2048; ++j)
      rows.logits[static_cast<size_t>(j)] *= 8;
  CalibrationOptions options;
  options.bootstrap = 0;
  const TemperatureFit fit =
      fit_temperature(rows.logits.data(), rows.labels.data(), rows.rows(), rows.classes);
  EXPECT_NEAR(report(rows, options).fit->temperature, fit.temperature, 1e-6 * fit.temperature);
}

TEST_F(CalibrationReportTest, ATemperatureThatIsGivenIsApplied) {
  const Rows rows = generated(200, 10, 8, 150, 3);
  CalibrationOptions options;
  options.temperature = 2.5;
  options.bootstrap = 0;
  const CalibrationReport got = report(rows, options);
  CalibrationSums sums;
  accumulate_calibration(rows.logits.data(), rows.labels.data(), rows.rows(), 10, 2.5, sums);
  EXPECT_EQ(got.fit->temperature, 2.5);
  EXPECT_EQ(got.fit->end, FitEnd::given);
  EXPECT_NEAR(got.scaled->nll, sums.mean_nll(), 1e-12);
  EXPECT_FALSE(got.held_out);
  EXPECT_TRUE(to_json(got)["ece_held_out"].is_null());
  options.temperature.reset();
  options.fit = false;
  const json unfitted = to_json(report(rows, options));
  EXPECT_TRUE(unfitted["temperature"].is_null());
  EXPECT_TRUE(unfitted["ece_scaled"].is_null());
  EXPECT_TRUE(unfitted["ece_ci95"].is_null());
}

TEST_F(CalibrationReportTest, OneRowHasNoHeldOutHalf) {
  const CalibrationReport got = report({2, {1, 0}, {0}});
  EXPECT_EQ(got.fit->end, FitEnd::lower_bound);
  EXPECT_FALSE(got.held_out);
  EXPECT_THAT(got.notes, testing::Contains(HasSubstr("one of the two halves has no sample")));
  EXPECT_THAT(got.notes, testing::Contains(HasSubstr("lowest that is searched")));
}

TEST_F(CalibrationReportTest, TheIntervalSurroundsAnEceThatIsFarFromZero) {
  CalibrationOptions options;
  const CalibrationReport got = report(generated(2000, 10, 8, 150, 3), options);
  ASSERT_TRUE(got.unscaled.ece_ci95);
  EXPECT_LT(got.unscaled.ece_ci95->low, got.unscaled.ece);
  EXPECT_GT(got.unscaled.ece_ci95->high, got.unscaled.ece);
  const json list = to_json(got);
  EXPECT_EQ(list["ece_ci95"].size(), 2U);
  EXPECT_EQ(list["bins"].size(), 15U);
}

TEST_F(CalibrationReportTest, TheTableNamesFileAndFigures) {
  const CalibrationReport got = report(generated(200, 10, 8, 150, 3));
  const std::string table = to_table({got, got});
  EXPECT_THAT(table, HasSubstr(path + ": 200 rows, 10 classes"));
  EXPECT_THAT(table, HasSubstr(" in-sample "));
  EXPECT_THAT(table, HasSubstr(" held-out "));
  char ece[16];
  std::snprintf(ece, sizeof ece, "%.4f", got.scaled->ece);
  EXPECT_THAT(table, HasSubstr(ece));
}

TEST_F(CalibrationReportTest, BadValuesAreNamedWithFileRowAndClass) {
  for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Rows rows = generated(50, 10, 8, 150, 3);
    rows.logits[427] = bad;
    try {
      report(rows);
      FAIL() << "accepted " << bad;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("row 42, class 7"));
      EXPECT_THAT(error.what(), HasSubstr("x.h5"));
    }
  }
  for (int64_t bad : {-1, 10}) {
    Rows rows = generated(50, 10, 8, 150, 3);
    rows.labels[7] = bad;
    try {
      report(rows);
      FAIL() << "accepted " << bad;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("row 7"));
    }
  }
  EXPECT_THROW(report({1, {1, 2}, {0, 0}}), DataError) << "K = 1";
  EXPECT_THROW(report({3, {}, {}}), DataError) << "no rows";
}

TEST_F(CalibrationReportTest, OptionsOutOfRangeAreRefused) {
  const Rows rows{2, {1, 0}, {0}};
  const auto refused = [&](auto set) {
    CalibrationOptions options;
    set(options);
    EXPECT_THROW(report(rows, options), UsageError);
  };
  refused([](auto& o) { o.bins = 0; });
  refused([](auto& o) { o.bins = 1001; });
  refused([](auto& o) { o.bootstrap = -1; });
  refused([](auto& o) { o.threads = -1; });
  refused([](auto& o) { o.temperature = 0; });
  refused([](auto& o) { o.temperature = std::nan(""); });
}

// Thirty digits used to push the columns out of the window.
TEST_F(CalibrationReportTest, AnNllThatIsHugeKeepsTheTableNarrow) {
  const std::string table = to_table({report({2, {0, 1e32F, 0, 1}, {0, 1}})});
  EXPECT_THAT(table, HasSubstr("5.0000e+31"));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.size() < 130 || line.find("note:") != std::string::npos) << line;
}

TEST(CalibrationReportDebiased, TakesOffWhatBinningNoiseAdds) {
  // Rows drawn from their own confidence: the true error is 0, the plug-in estimate m is not. Noise added
  // twice is √2 as large, so (2 − √2)·m remains.
  const AddressedRandom random(1, Purpose::generated_data, 0, 0);
  double plugged = 0, debiased = 0;
  for (uint32_t trial = 0; trial < 200; ++trial) {
    ReliabilityBins bins(15);
    for (uint32_t i = 0; i < 300; ++i) {
      const double confidence = random.uniform((trial * 300 + i) * 2);
      bins.add(confidence_bin(confidence, 15, BinEdges::standard), confidence,
               random.uniform((trial * 300 + i) * 2 + 1) < confidence);
    }
    plugged += bins.expected_error(300) / 200;
    debiased += debiased_error(bins, 300) / 200;
  }
  EXPECT_GT(plugged, 0.05);
  EXPECT_NEAR(debiased / plugged, 2 - std::sqrt(2.0), 0.05);
}

}  // namespace
}  // namespace smoothlab::eval
