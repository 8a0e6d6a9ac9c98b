#include "eval/temperature_sweep.h"

#include <gmock/gmock.h>

#include "cluster/error.h"
#include "eval/sweep_charts.h"

namespace smoothlab::eval {
namespace {

TemperatureSweep sweep_of(std::vector<double> bleu) {
  TemperatureSweep sweep;
  sweep.origin = {100, "w", "test", "s", "r", "bf16", 4, 0.6};
  sweep.tokens = 70;
  sweep.sentences = 9;
  sweep.signature = "BLEU|a";
  sweep.lowercase_signature = "BLEU|b";
  for (size_t i = 0; i < bleu.size(); ++i) {
    SweepPoint& point = sweep.point(0.1 * static_cast<double>(i + 1));
    point.bleu = bleu[i];
    point.bleu_lowercase = bleu[i] + 1;
    point.nll = 3 - 0.1 * static_cast<double>(i);
  }
  return sweep;
}

TEST(TemperatureSweep, AFileIsWhatWasWritten) {
  TemperatureSweep sweep = sweep_of({20, 21.123456789012345});
  sweep.point(0.05).ece = 1.0 / 3;
  sweep.points[1].length_ratio = 0.98;
  const auto read = parse_sweeps(sweeps_text({sweep, sweep_of({})}), "f.json");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(read[0].origin == sweep.origin);
  EXPECT_EQ(read[0].tokens, 70);
  EXPECT_EQ(read[0].lowercase_signature, "BLEU|b");
  ASSERT_EQ(read[0].points.size(), 3U);
  EXPECT_EQ(read[0].points[0].ece, 1.0 / 3);
  EXPECT_EQ(read[0].points[0].bleu, std::nullopt);
  EXPECT_EQ(read[0].points[1].length_ratio, 0.98);
  EXPECT_EQ(read[0].points[2].bleu, 21.123456789012345);
}

TEST(TemperatureSweep, OtherFilesAreNamed) {
  for (const char* text :
       {"", "{}", "[]", "{\"temperature_sweeps\": [{\"step\": 1}]}", "{\"temperature_sweeps\": 3}"}) {
    try {
      parse_sweeps(text, "runs/a/temperature-sweep.json");
      ADD_FAILURE() << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("runs/a/temperature-sweep.json"));
    }
  }
}

TEST(TemperatureSweep, WhatIsKnownOfTheSameOriginStays) {
  std::vector<TemperatureSweep> all = {sweep_of({20, 21})};
  TemperatureSweep later = sweep_of({});
  later.signature = "";
  later.point(0.2).ece = 0.5;
  later.point(3).bleu = 7;
  merge_sweep(all, later);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].signature, "BLEU|a");
  ASSERT_EQ(all[0].points.size(), 3U);
  EXPECT_EQ(all[0].points[1].bleu, 21);
  EXPECT_EQ(all[0].points[1].ece, 0.5);
  later.origin.beam = 1;
  merge_sweep(all, later);
  EXPECT_EQ(all.size(), 2U);
}

// Figures of an older decoder used to be mixed with new ones.
TEST(TemperatureSweep, FiguresOfAnotherDecoderAreNotMixedIn) {
  auto json = nlohmann::ordered_json::parse(sweeps_text({sweep_of({20})}));
  EXPECT_EQ(json["temperature_sweeps"][0]["decoding"], decoding_revision);
  json["temperature_sweeps"][0].erase("decoding");
  auto all = parse_sweeps(json.dump(), "f.json");
  EXPECT_EQ(all.at(0).origin.decoding, 0) << "from before there were revisions";
  merge_sweep(all, sweep_of({21}));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].points[0].bleu, 20);
}

TEST(TemperatureSweep, BestPoints) {
  TemperatureSweep sweep = sweep_of({20, 22, 22, 21});
  const BestPoints best = best_points(sweep, false);
  EXPECT_EQ(best.bleu, &sweep.points[1]) << "of equals the lowest temperature";
  EXPECT_EQ(best.nll, &sweep.points[3]);
  EXPECT_EQ(best.ece, nullptr);
}

TEST(TemperatureSweep, CurvesAreMeansWithBands) {
  const TemperatureSweep a = sweep_of({20, 22, 21}), b = sweep_of({22, 24});
  const auto charts = sweep_charts({{"α = 0", 0, {&a, &b}}, {"α = 0.1", 1, {&a}}}, false);
  ASSERT_EQ(charts.size(), 2U) << "no point has an ECE";
  ASSERT_EQ(charts[0].series.size(), 2U);
  const ChartSeries& both = charts[0].series[0];
  EXPECT_EQ(both.x, (std::vector<double>{0.1, 0.2})) << "the third is of one seed only";
  EXPECT_EQ(both.y, (std::vector<double>{21, 23}));
  EXPECT_EQ(both.low, (std::vector<double>{20, 22}));
  EXPECT_EQ(both.high, (std::vector<double>{22, 24}));
  EXPECT_TRUE(charts[0].series[1].low.empty());
  const TemperatureSweep one = sweep_of({20});
  EXPECT_TRUE(sweep_charts({{"α = 0", 0, {&one}}}, true).empty());
}

}  // namespace
}  // namespace smoothlab::eval
