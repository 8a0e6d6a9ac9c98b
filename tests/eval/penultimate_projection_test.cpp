#include "eval/penultimate_projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "projection_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PenultimateProjectionFile : public testing::Test {
 protected:
  PenultimateProjection projected(const test::ProjectionSample& sample,
                                  const std::vector<std::string>& classes = {"4", "1", "2"},
                                  const ProjectionOptions& options = {}) const {
    sample.write(folder / "x.h5");
    return project(LogitFile(folder / "x.h5"), classes, options);
  }
  template <typename Failure = DataError>
  std::string refusal(const test::ProjectionSample& sample,
                      const std::vector<std::string>& classes = {"4", "1", "2"}) const {
    try {
      projected(sample, classes);
    } catch (const Failure& error) {
      return error.what();
    }
    return "";
  }
  static test::ProjectionSample sample(double noise = 0.5) {
    test::ProjectionSample sample;
    sample.noise = noise;
    sample.generate();
    return sample;
  }
  test::TemporaryFolder folder;
};

using Vector = std::vector<double>;

/// Two passes in the whole space, as the words in the header say it.
struct PlainMeasures {
  std::array<Vector, 3> mean;
  double spread = 0, accuracy = 0;
};

PlainMeasures plain_measures(const test::ProjectionSample& s, const std::array<int64_t, 3>& classes) {
  PlainMeasures m;
  std::array<double, 3> rows{};
  const auto which = [&](int64_t row) {
    return std::find(classes.begin(), classes.end(), s.labels[static_cast<size_t>(row)]) - classes.begin();
  };
  for (auto& mean : m.mean) mean.assign(static_cast<size_t>(s.width), 0.0);
  for (int64_t r = 0; r < s.rows; ++r) {
    const auto c = static_cast<size_t>(which(r));
    if (c == 3) continue;
    rows[c] += 1;
    for (int64_t i = 0; i < s.width; ++i)
      m.mean[c][static_cast<size_t>(i)] += s.activations[static_cast<size_t>(r * s.width + i)];
  }
  for (size_t c = 0; c < 3; ++c)
    for (double& value : m.mean[c]) value /= rows[c];
  double within = 0, between = 0, right = 0;
  const double all = rows[0] + rows[1] + rows[2];
  for (int64_t r = 0; r < s.rows; ++r) {
    const auto c = static_cast<size_t>(which(r));
    if (c == 3) continue;
    for (int64_t i = 0; i < s.width; ++i)
      within += std::pow(static_cast<double>(s.activations[static_cast<size_t>(r * s.width + i)]) -
                             m.mean[c][static_cast<size_t>(i)],
                         2);
    const double own = s.logit(r, classes[c]);
    right += own > s.logit(r, classes[(c + 1) % 3]) && own > s.logit(r, classes[(c + 2) % 3]) ? 1 : 0;
  }
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < m.mean[c].size(); ++i)
      between += std::pow(m.mean[c][i] - m.mean[(c + 1) % 3][i], 2);
  m.spread = std::sqrt(within / all) / std::sqrt(between / 3);
  m.accuracy = right / all;
  return m;
}

TEST_F(PenultimateProjectionFile, MeasuresAreThoseOfTheirDefinitions) {
  const auto s = sample(2.5);
  const auto p = projected(s, {"4", "1", "2"}, {0, 2});
  const auto plain = plain_measures(s, {4, 1, 2});
  EXPECT_NEAR(*p.spread_full, plain.spread, 1e-12);
  EXPECT_DOUBLE_EQ(p.accuracy, plain.accuracy);
  EXPECT_LT(p.accuracy, 1);  // else the check would see nothing
  ASSERT_EQ(p.examples.size(), 240U);

  // In the plane, from the kept points alone.
  std::array<PlanePoint, 3> mean;
  for (const auto& e : p.examples)
    mean[static_cast<size_t>(e.which)] = mean[static_cast<size_t>(e.which)] + 1.0 / 80 * e.at;
  double within = 0, between = 0;
  std::array<double, 3> squares{};
  for (const auto& e : p.examples) {
    const PlanePoint d = e.at - mean[static_cast<size_t>(e.which)];
    within += dot(d, d);
    squares[static_cast<size_t>(e.which)] += dot(d, d);
  }
  for (size_t c = 0; c < 3; ++c) {
    const PlanePoint side = mean[c] - mean[(c + 1) % 3];
    between += dot(side, side);
    EXPECT_EQ(p.chosen[c].rows, 80);
    EXPECT_NEAR(p.chosen[c].mean.x, mean[c].x, 1e-12);
    EXPECT_NEAR(p.chosen[c].mean.y, mean[c].y, 1e-12);
    EXPECT_NEAR(p.chosen[c].deviation, std::sqrt(squares[c] / 80), 1e-12);
    // The mean of projections is the projection of the mean.
    const std::vector<float> x(plain.mean[c].begin(), plain.mean[c].end());
    EXPECT_NEAR(p.plane.project(x.data()).x, mean[c].x, 1e-5);
  }
  EXPECT_NEAR(*p.spread, std::sqrt(within / 240) / std::sqrt(between / 3), 1e-12);
  EXPECT_NEAR(*p.means.regularity, *triangle_of(mean).regularity, 1e-12);
}

TEST_F(PenultimateProjectionFile, ASmallerSpreadIsATighterCluster) {
  const auto tight = projected(sample(0.1)), loose = projected(sample(1.0));
  EXPECT_NEAR(*loose.spread / *tight.spread, 10, 1.0);
  EXPECT_NEAR(*loose.spread_full / *tight.spread_full, 10, 1.0);
}

TEST_F(PenultimateProjectionFile, CollapsedClustersHaveASpreadOfExactlyZero) {
  const auto p = projected(sample(0));
  EXPECT_EQ(*p.spread, 0);
  EXPECT_EQ(*p.spread_full, 0);
  EXPECT_EQ(p.chosen[1].deviation_full, 0);
  EXPECT_GT(*p.means.regularity, 0.1);
}

TEST_F(PenultimateProjectionFile, MeansThatCoincideHaveNoSpread) {
  auto s = sample();
  s.activations.assign(s.activations.size(), 1.5F);
  const auto p = projected(s);
  EXPECT_FALSE(p.spread || p.spread_full || p.means.regularity);
  EXPECT_TRUE(p.templates.regularity.has_value());
  EXPECT_TRUE(to_json(p)["spread"].is_null());
}

TEST_F(PenultimateProjectionFile, KeepsTheExamplesWithTheLowestSampleIds) {
  const auto s = sample();  // ids fall: the last rows come first
  const auto p = projected(s, {"4", "1", "2"}, {2, 1});
  std::vector<int64_t> rows, ids;
  for (const auto& e : p.examples) {
    rows.push_back(e.row);
    ids.push_back(e.sample_id);
  }
  EXPECT_THAT(rows, ElementsAre(399, 394, 396, 391, 397, 392));
  EXPECT_THAT(ids, ElementsAre(10, 60, 40, 90, 30, 80));
  for (const auto& e : p.examples) {
    const PlanePoint at = p.plane.project(s.activations.data() + e.row * s.width);
    EXPECT_NEAR(e.at.x, at.x, 1e-12);
    EXPECT_NEAR(e.at.y, at.y, 1e-12);
  }
}

// Rows of a translation share sample ids.
TEST_F(PenultimateProjectionFile, TokensOfASentenceStandInTheOrderOfRows) {
  auto s = sample();
  s.sample_ids.assign(s.sample_ids.size(), 3);
  s.names = {"\xE2\x96\x81the", ",", "\xE2\x96\x81of", "s",
             "\xE2\x96\x81"
             "a"};
  const auto p = projected(s,
                           {"\xE2\x96\x81"
                            "a",
                            ",", "\xE2\x96\x81of"},
                           {2, 1});
  EXPECT_EQ(p.chosen[0].chosen.number, 4);
  EXPECT_EQ(p.examples[0].row, 4);
  EXPECT_EQ(p.examples[1].row, 9);
}

// Blocks of 2^18 values: here of 128 rows, of which the classes have few or many, in any layout.
TEST_F(PenultimateProjectionFile, IsBitwiseTheSameOnAnyNumberOfThreadsAndInAnyLayout) {
  test::ProjectionSample s;
  s.rows = 700;
  s.width = 2048;
  s.generate();
  for (int64_t r = 130; r < 300; ++r) s.labels[static_cast<size_t>(r)] = 3;  // a block without any
  s.write(folder / "plain.h5");
  s.storage.chunk = {50, 2048};
  s.write(folder / "chunked.h5");
  s.storage.chunk = {33, 100};
  s.storage.deflate = 1;
  s.write(folder / "deflated.h5");
  const auto text = [&](const std::string& name, int threads) {
    auto json = to_json(project(LogitFile(folder / name), {"0", "1", "2"}, {0, threads}));
    json.erase("file");
    return json.dump();
  };
  const std::string once = text("plain.h5", 1);
  EXPECT_NE(once.find("\"row\":697"), std::string::npos);
  for (const char* name : {"plain.h5", "chunked.h5", "deflated.h5"})
    for (const int threads : {1, 2, 5}) EXPECT_TRUE(text(name, threads) == once) << name << threads;
  const auto plain = plain_measures(s, {0, 1, 2});
  EXPECT_NEAR(*project(LogitFile(folder / "plain.h5"), {"0", "1", "2"}).spread_full, plain.spread, 1e-12);
}

TEST_F(PenultimateProjectionFile, TellsHowFarItIs) {
  const auto s = sample();
  s.write(folder / "x.h5");
  int64_t done = 0;
  project(LogitFile(folder / "x.h5"), {"0", "1", "2"}, {}, [&](int64_t rows) { done += rows; });
  EXPECT_EQ(done, 400);
}

TEST_F(PenultimateProjectionFile, RefusesFilesThatCannotBeProjected) {
  auto s = sample();
  s.with_penultimate = false;
  EXPECT_THAT(refusal(s), HasSubstr("there is no /penultimate"));
  s = sample();
  s.with_classifier = false;
  EXPECT_THAT(refusal(s), HasSubstr("there is no /classifier/weight"));
  s = sample();
  for (size_t i = 0; i < s.labels.size(); ++i)
    if (s.labels[i] == 1) s.labels[i] = 0;
  s.names = {"cat", "dog", "owl", "elk", "emu"};
  EXPECT_THAT(refusal(s), HasSubstr("no row is of class 1 (dog)"));
  s.labels[17] = 5;
  EXPECT_THAT(refusal(s), HasSubstr("label 5 of row 17 is not in 0–4"));
  s = sample();
  for (size_t i = 0; i < 7; ++i) s.weight[7 + i] = 0.5F * (s.weight[14 + i] + s.weight[28 + i]);
  s.bias[1] = 0.5F * (s.bias[2] + s.bias[4]);
  EXPECT_THAT(refusal(s), HasSubstr("the templates of 4, 1 and 2 lie on a line"));
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    for (const size_t row : {4U, 301U}) {  // the first of its class, and another
      s = sample();
      s.activations[row * 7 + 2] = bad;
      EXPECT_THAT(refusal(s), HasSubstr("value 2 of row " + std::to_string(row) + " of /penultimate is"));
    }
  s = sample();
  s.activations[3 * 7] = std::numeric_limits<float>::infinity();  // a row of another class
  EXPECT_EQ(refusal(s), "");
}

TEST_F(PenultimateProjectionFile, RefusesATemplateOfAnotherLayer) {
  auto s = sample();
  s.with_classifier = false;
  s.write(folder / "x.h5", [&](test::ForeignFile& file) {
    H5Gclose(H5Gcreate2(file.id(), "classifier", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    file.dataset<float>("classifier/weight", {5, 6}, std::vector<float>(30, 1.0F));
    file.dataset("classifier/bias", {5}, s.bias);
  });
  try {
    project(LogitFile(folder / "x.h5"), {"0", "1", "2"});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("has 6 values a class and /penultimate 7 a row"));
  }
}

TEST_F(PenultimateProjectionFile, RefusesOtherThanThreeClasses) {
  EXPECT_THAT(refusal<UsageError>(sample(), {"0", "1"}), HasSubstr("2 classes"));
  EXPECT_THAT(refusal<UsageError>(sample(), {"0", "1", "cat"}), HasSubstr("no class 'cat'"));
  EXPECT_THAT(refusal<UsageError>(sample(), {"0", "1", "5"}), HasSubstr("no class 5"));
}

TEST_F(PenultimateProjectionFile, ATableForPeople) {
  auto s = sample();
  s.names = {"cat", "dog", "owl", "elk", "emu"};
  const auto p = projected(s, {"emu", "dog", "owl"});
  const std::string one = to_table({p}), two = to_table({p, p});
  EXPECT_THAT(one, HasSubstr("emu (4), dog (1), owl (2)"));
  EXPECT_THAT(one, HasSubstr("deviation"));
  EXPECT_THAT(two, testing::Not(HasSubstr("deviation")));
  EXPECT_EQ(std::count(two.begin(), two.end(), '\n'), 4);
}

}  // namespace
}  // namespace smoothlab::eval
