#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/class_names.h"
#include "eval/foreign_file.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class InformationVerbSlow : public testing::Test {
 protected:
  /// Samples 0 … 39 of classes 0 and 2 in turn, `draws` rows of each; spread: how far draws lie apart.
  std::string write(const std::string& name, int64_t draws, float spread = 0.1F, double alpha = 0,
                    int64_t step = 40) const {
    std::vector<int64_t> labels, ids;
    std::vector<float> logits;
    for (int64_t id = 0; id < 40; ++id)
      for (int64_t draw = 0; draw < draws; ++draw) {
        labels.push_back(id % 2 == 0 ? 0 : 2);
        ids.push_back(id);
        const float side = id % 2 == 0 ? 3.0F : -3.0F;
        logits.insert(logits.end(), {side + spread * static_cast<float>(draw), 0.0F, 0.0F});
      }
    write_text(folder / name, "");  // makes folders
    ForeignFile file(folder / name);
    file.dataset("logits", {labels.size(), 3}, logits);
    file.dataset("labels", {labels.size()}, labels);
    file.dataset("sample_id", {labels.size()}, ids);
    eval::write_class_names(file.id(), {"airplane", "cat", "dog"}, folder / name);
    for (const char* attribute : {"task", "split", "model", "convention", "recipe_hash", "code_version"})
      file.attribute(attribute, std::string("some"));
    file.attribute("ranks", int64_t{1});
    file.attribute("alpha", alpha);
    file.attribute("step", step);
    return folder / name;
  }
  static ProcessResult information(const std::vector<std::string>& files, const std::string& classes,
                                   const std::vector<std::string>& options = {}) {
    return smoothlab(joined(joined({"information"}, files), joined({"--classes", classes}, options)));
  }
  TemporaryFolder folder;
};

TEST_F(InformationVerbSlow, TwoClustersHaveLogTwo) {
  const auto file = write("draws.h5", 5, 0);
  const auto result = information({file}, "airplane,dog", {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_NEAR(report["information"], std::log(2.0), 1e-12);
  EXPECT_EQ(report["examples"], 40);
  EXPECT_THAT(information({file}, "0,2").out, HasSubstr("0.6931"));
}

TEST_F(InformationVerbSlow, RunsAreLinesAgainstSteps) {
  std::vector<std::string> files;
  for (const int64_t step : {100, 200, 300})
    for (const double alpha : {0.0, 0.1})
      files.push_back(
          write((alpha > 0 ? "s/logits/step-" : "h/logits/step-") + std::to_string(step) + "-draws.h5", 5,
                0.1F, alpha, step));
  const auto figures = folder / "figures";
  const auto result = information(files, "airplane,dog", {"--figures", figures, "--format", "svg,png"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).size(), 8U) << result.out;  // two lines of heads
  const std::string svg = read_text(figures + "/information-airplane-dog.svg");
  for (const char* text : {"α = 0.1", "log 2", "airplane against dog"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  EXPECT_TRUE(std::filesystem::exists(figures + "/information-airplane-dog.png"));
}

TEST_F(InformationVerbSlow, FilesThatHoldNoDraws) {
  expect_only_error(information({write("once.h5", 1)}, "airplane,dog"), 3, "no sample repeats");
  expect_only_error(information({write("once.h5", 1)}, "airplane,dog"), 3, "`information:");
  expect_only_error(information({write("draws.h5", 5)}, "airplane,cat"), 3, "no row is of class 1 (cat)");
  {
    ForeignFile file(folder / "uneven.h5");
    file.dataset<float>("logits", {5, 2}, std::vector<float>(10, 0.5F));
    file.dataset<int64_t>("labels", {5}, {0, 0, 1, 1, 1});
    file.dataset<int64_t>("sample_id", {5}, {7, 7, 8, 8, 8});
  }
  expect_only_error(information({folder / "uneven.h5"}, "0,1"), 3,
                    "sample 8 has 3 draws, but sample 7 has 2");
}

TEST_F(InformationVerbSlow, ClassesThatAreNone) {
  const auto file = write("draws.h5", 5);
  expect_only_error(information({file}, "arplane,dog"), 2, "did you mean 'airplane'?");
  expect_only_error(information({file}, "airplane"), 2, "1 class is given (--classes); give 2 classes");
  expect_only_error(information({file}, "dog,dog"), 2, "class 'dog' is given twice");
  expect_only_error(information({file}, "dog,2"), 2, "are the same class");
  expect_only_error(information({file}, "dog,3"), 2, "no class 3");
  expect_only_error(information({folder / "none.h5"}, "0,1"), 3, "no such file");
}

TEST_F(InformationVerbSlow, TheDocumentNamesEveryKeyOfJson) {
  const auto documented = documented_names("docs/information.md");
  const json report = json::parse(information({write("draws.h5", 5)}, "airplane,dog", {"--json"}).out);
  for (const json& object : {report, report["chosen"][0]})
    for (const auto& [key, value] : object.items()) EXPECT_EQ(documented.count(key), 1U) << key;
}

}  // namespace
}  // namespace smoothlab::test
