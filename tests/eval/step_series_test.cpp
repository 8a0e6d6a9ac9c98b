#include "eval/step_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;

StatedFile file(const std::string& path, const std::string& alpha, const std::string& split,
                const std::string& step, const std::string& hash = "") {
  StatedFile result{path, {}};
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) result.origin[name] = value;
  };
  put("alpha", alpha);
  put("split", split);
  put("step", step);
  put("recipe_hash", hash);
  return result;
}

std::vector<std::string> names_of(const std::vector<StepSeries>& series) {
  std::vector<std::string> names;
  for (const auto& one : series) names.push_back(one.name);
  return names;
}

TEST(StepSeries, FilesOfARunAndSplitInTheOrderOfTheirSteps) {
  const std::vector<StatedFile> files = {
      file("b/logits/step-900-test.h5", "0.1", "test", "900"),
      file("b/logits/step-1000-test.h5", "0.1", "test", "1000"),
      file("b/logits/step-900-train.h5", "0.1", "train", "900", "a program's"),
      file("b/logits/train.h5", "0.1", "train", "1000", "a newer program's"),
      file("a/logits/test.h5", "0", "test", "1000"),
      file("a/logits/train.h5", "0", "train", "1000"),
      file("a/logits/step-1000-train.h5", "0", "train", "1000")};
  const auto series = step_series(files);
  EXPECT_THAT(names_of(series),
              ElementsAre("α = 0, train", "α = 0, test", "α = 0.1, train", "α = 0.1, test"));
  EXPECT_THAT(series[0].files, ElementsAre(5, 6));
  EXPECT_THAT(one_a_step(series[0], files), ElementsAre(5));
  EXPECT_THAT(series[2].files, ElementsAre(2, 3));
  EXPECT_THAT(series[3].files, ElementsAre(0, 1));
  EXPECT_EQ(series[0].run, series[1].run);
  EXPECT_NE(series[1].run, series[2].run);
  EXPECT_FALSE(series[0].dashed);
  EXPECT_TRUE(series[1].dashed);
  EXPECT_TRUE(has_trajectory(series, files));
  EXPECT_FALSE(has_trajectory(step_series({files[0], files[2]}), {files[0], files[2]}));
}

TEST(StepSeries, RunsAreToldApart) {
  // Two seeds: by their folders, and where they lie in one by their recipes.
  EXPECT_THAT(names_of(step_series(
                  {file("s1/logits/x.h5", "0", "test", "5"), file("s2/logits/x.h5", "0", "test", "5")})),
              ElementsAre("α = 0, s1", "α = 0, s2"));
  EXPECT_EQ(
      step_series({file("all/x.h5", "0", "test", "5", "c0ffee"), file("all/y.h5", "0", "test", "6", "beef")})
          .size(),
      2U);
  // Nothing stated: nothing says that these belong together.
  const std::vector<StatedFile> bare = {file("x.h5", "", "", ""), file("y.h5", "", "", "")};
  EXPECT_EQ(step_series(bare).size(), 2U);
  EXPECT_THAT(names_of(step_series({bare[0]})), ElementsAre("x.h5"));
}

TEST(StepSeries, TitlesSayWhatIsStated) {
  EXPECT_EQ(origin_title(file("a/x.h5", "0.1", "train", "40")), "α = 0.1, train, step 40");
  EXPECT_EQ(origin_title(file("a/x.h5", "", "", "")), "x.h5");
  EXPECT_EQ(origin_title(file("a/x.h5", "0", "t\x1b[m", "")), "α = 0, t?[m");
}

}  // namespace
}  // namespace smoothlab::eval
