#include "eval/information_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "foreign_file.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Rows as they stand in a file: K = 4.
struct Rows {
  std::vector<int64_t> labels, sample_ids;
  std::vector<int32_t> positions;  // empty: none
  std::vector<float> logits;

  void add(int64_t label, int64_t id, float difference) {
    labels.push_back(label);
    sample_ids.push_back(id);
    for (const float value : {7.0F, difference / 2, -3.0F, -difference / 2}) logits.push_back(value);
  }
};

class InformationReportFile : public testing::Test {
 protected:
  std::string write(const Rows& rows, int64_t step = 0) const {
    test::ForeignFile file(folder / "draws.h5");
    const hsize_t n = rows.labels.size();
    file.dataset("logits", {n, 4}, rows.logits);
    file.dataset("labels", {n}, rows.labels);
    file.dataset("sample_id", {n}, rows.sample_ids);
    if (!rows.positions.empty()) file.dataset("position", {n}, rows.positions);
    file.attribute("step", step);
    file.attribute("alpha", 0.1);
    return folder / "draws.h5";
  }
  RepeatedDraws read(const Rows& rows) const { return read_draws(LogitFile(write(rows)), {"1", "3"}); }
  std::string refusal(const Rows& rows) const {
    try {
      read(rows);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  test::TemporaryFolder folder;
};

/// Two tight clusters, three draws a sample: class 1 at 5, class 3 at −5; and rows of other classes.
Rows two_clusters() {
  Rows rows;
  for (int64_t draw = 0; draw < 3; ++draw)
    for (int64_t id = 20; id > 0; --id) {
      const AddressedRandom random(5, Purpose::augmentation, 0, static_cast<uint64_t>(id));
      const auto noise = static_cast<float>(0.01 * random.normal(static_cast<uint32_t>(draw)));
      if (id % 4 == 0) rows.add(2, id, 100);
      if (id % 4 == 1) rows.add(1, id, 5 + noise);
      if (id % 4 > 1) rows.add(3, id, -5 + noise);
    }
  return rows;
}

TEST_F(InformationReportFile, DrawsAreGroupedBySampleWhateverTheOrderOfRows) {
  Rows rows;
  rows.add(3, 9, -1);
  rows.add(1, 4, 2);
  rows.add(0, 4, 99);  // of another class: not looked at
  rows.add(1, 4, 3);
  rows.add(3, 9, -2);
  const auto draws = read(rows);
  EXPECT_EQ(draws.examples, 2);
  EXPECT_EQ(draws.draws, 2);
  EXPECT_THAT(draws.f, ElementsAre(2, 3, -1, -2));
  EXPECT_THAT(draws.examples_of, ElementsAre(1, 1));
}

TEST_F(InformationReportFile, TokensAreTheirOwnExamples) {
  Rows rows;
  for (int i = 0; i < 2; ++i)
    for (const float place : {0.0F, 1.0F, 2.0F}) {
      rows.add(place == 1 ? 3 : 1, 5, place);
      rows.positions.push_back(static_cast<int32_t>(place));
    }
  const auto draws = read(rows);
  EXPECT_EQ(draws.examples, 3);
  EXPECT_THAT(draws.f, ElementsAre(0, 0, 1, 1, 2, 2));
}

TEST_F(InformationReportFile, RefusesWhatHoldsNoDraws) {
  Rows once;
  once.add(1, 1, 0);
  once.add(3, 2, 0);
  EXPECT_THAT(refusal(once), HasSubstr("no sample repeats"));
  EXPECT_THAT(refusal(once), HasSubstr("`information: {classes: [a, b]}`"));
  Rows uneven = two_clusters();
  uneven.add(1, 5, 5);
  EXPECT_THAT(refusal(uneven), HasSubstr("sample 5 has 4 draws, but sample 1 has 3"));
  Rows torn = two_clusters();
  torn.labels[0] = 1;  // sample 20 is of class 2
  torn.labels[1] = 1;  // one of three rows of sample 19, of class 3
  EXPECT_THAT(refusal(torn), HasSubstr("sample 19 has rows of both classes"));
  Rows one_class;
  for (int i = 0; i < 2; ++i) one_class.add(1, 1, 0);
  EXPECT_THAT(refusal(one_class), HasSubstr("no row is of class 3"));
  EXPECT_THAT(refusal(one_class), HasSubstr("draws.h5"));
  Rows broken = two_clusters();
  broken.logits[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(broken), HasSubstr("logit of row 1, class 1 is nan"));
  EXPECT_THROW(read_draws(LogitFile(write(two_clusters())), {"1"}), UsageError);
  EXPECT_THROW(read_draws(LogitFile(write(two_clusters())), {"1", "dog"}), UsageError);
}

TEST_F(InformationReportFile, TwoTightClustersOfFiveAndTen) {
  const auto report = analyse_information(LogitFile(write(two_clusters(), 40)), {"1", "3"}, 2);
  EXPECT_EQ(report.estimate.examples, 15);
  const double entropy = -std::log(1.0 / 3) / 3 - 2 * std::log(2.0 / 3) / 3;
  // Few examples: the noise of the floor is wide.
  EXPECT_NEAR(report.estimate.information, entropy + report.estimate.floor, 0.15);
  const auto json = to_json(report);
  EXPECT_EQ(json["step"], 40);
  EXPECT_EQ(json["alpha"], 0.1);
  EXPECT_EQ(json["chosen"][1]["examples"], 10);
  EXPECT_EQ(json["draws"], 3);
  EXPECT_DOUBLE_EQ(json["bound"], std::log(15.0));
  EXPECT_DOUBLE_EQ(json["floor"], 0.5 * std::log(1.5));
  EXPECT_THAT(to_table({report}), HasSubstr("5+10"));
}

TEST_F(InformationReportFile, AChartAgainstSteps) {
  std::vector<InformationReport> reports;
  for (const int64_t step : {200, 100}) {
    reports.push_back(analyse_information(LogitFile(write(two_clusters(), step)), {"1", "3"}));
    reports.back().file = "a/logits/step-" + std::to_string(step) + "-draws.h5";
  }
  reports[1].estimate.information = 1.1;
  const Chart chart = information_chart(reports);
  ASSERT_EQ(chart.series.size(), 1U);
  EXPECT_THAT(chart.series[0].x, ElementsAre(100, 200));
  EXPECT_EQ(chart.series[0].y[0], 1.1);
  ASSERT_EQ(chart.references.size(), 1U);
  EXPECT_EQ(chart.references[0].y0, std::log(2.0));
  EXPECT_THAT(chart.subtitle, HasSubstr("at most log N = 2.71"));
  reports[1].estimate.information = 2.6;
  const Chart high = information_chart(reports);
  ASSERT_EQ(high.references.size(), 2U);
  EXPECT_EQ(high.references[1].name, "log N");
}

}  // namespace
}  // namespace smoothlab::eval
