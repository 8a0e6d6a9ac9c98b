#include <limits>
#include <nlohmann/json.hpp>

#include "eval/projection_fixture.h"
#include "eval/shard_fixture.h"
#include "eval/shard_names.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ProjectVerbSlow : public testing::Test {
 protected:
  static ProjectionSample sample() {
    ProjectionSample sample;
    sample.names = {"cat", "dog", "owl", "elk", "emu"};
    sample.generate();
    return sample;
  }
  std::string write(const ProjectionSample& sample, const std::string& name = "x.h5", double alpha = 0,
                    const std::string& split = "train", int64_t step = 40) const {
    write_text(folder / name, "");  // makes folders
    sample.write(folder / name, [&](ForeignFile& file) {
      for (const char* attribute : {"task", "model", "convention", "recipe_hash", "code_version"})
        file.attribute(attribute, std::string("some"));
      file.attribute("ranks", int64_t{1});
      file.attribute("alpha", alpha);
      file.attribute("split", split);
      file.attribute("step", step);
    });
    return folder / name;
  }
  static ProcessResult project(const std::vector<std::string>& files, const std::string& classes,
                               const std::vector<std::string>& options = {}) {
    return smoothlab(joined(joined({"project"}, files), joined({"--classes", classes}, options)));
  }
  void expect_refused(const ProjectionSample& sample, int code, const std::string& part) const {
    expect_only_error(project({write(sample)}, "cat,dog,owl"), code, part);
  }
  TemporaryFolder folder;
};

TEST_F(ProjectVerbSlow, FourFilesMakeTheFigureOfThePaper) {
  std::vector<std::string> files;
  for (const double alpha : {0.0, 0.1})
    for (const std::string split : {"train", "validation"})
      files.push_back(write(sample(), (alpha > 0 ? "s/" : "h/") + split + ".h5", alpha, split));
  const auto figures = folder / "new/figures";
  const auto result = project(files, "cat,dog,owl", {"--figures", figures, "--format", "svg,pdf"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).size(), 6U) << result.out;
  EXPECT_THAT(result.out, HasSubstr("cat (0), dog (1), owl (2)"));
  const std::string svg = read_text(figures + "/projection-cat-dog-owl.svg");
  for (const char* text : {"α = 0.1, validation, step 40", "equal logits", "owl", "</svg>"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  EXPECT_EQ(read_text(figures + "/projection-cat-dog-owl.pdf").substr(0, 5), "%PDF-");
  EXPECT_FALSE(std::filesystem::exists(figures + "/projection-cat-dog-owl.png"));
  EXPECT_FALSE(std::filesystem::exists(figures + "/projection-cat-dog-owl-steps.svg"));
}

TEST_F(ProjectVerbSlow, ASeriesIsDrawnAgainstSteps) {
  const auto figures = folder / "figures";
  const auto result =
      project({write(sample(), "a.h5", 0, "train", 100), write(sample(), "b.h5", 0, "train", 200)}, "0,1,2",
              {"--figures", figures, "--format", "svg", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)[1]["step"], 200);
  EXPECT_THAT(read_text(figures + "/projection-0-1-2-steps.svg"), HasSubstr("spread in all dimensions"));
}

TEST_F(ProjectVerbSlow, ExamplesAndThreads) {
  const auto file = write(sample());
  const auto points = [&](const std::string& examples) {
    const auto result = project({file}, "cat,dog,owl", {"--json", "--examples", examples});
    return json::parse(result.out)["points"].size();
  };
  EXPECT_EQ(points("0"), 240U);
  EXPECT_EQ(points("7"), 21U);
  EXPECT_EQ(project({file}, "cat,dog,owl", {"--json", "--threads", "1"}).out,
            project({file}, "cat,dog,owl", {"--json", "--threads", "3"}).out);
  expect_only_error(project({file}, "cat,dog,owl", {"--examples", "-1"}), 2, "--examples");
}

TEST_F(ProjectVerbSlow, ClassesThatAreNone) {
  const auto file = write(sample());
  expect_only_error(project({file}, "cat,dgo,owl"), 2, "no class 'dgo' (" + file + "); did you mean 'dog'?");
  expect_only_error(project({file}, "cat,dog"), 2, "2 classes are given (--classes)");
  expect_only_error(project({file}, "cat,dog,owl,elk"), 2, "4 classes are given");
  expect_only_error(project({file}, "cat,dog,cat"), 2, "class 'cat' is given twice");
  expect_only_error(project({file}, "cat,dog,0"), 2, "'cat' and '0' are the same class");
  expect_only_error(project({file}, "cat,dog,5"), 2, "no class 5");
  expect_only_error(smoothlab({"project", file}), 2, "0 classes are given");
  auto nameless = sample();
  nameless.names.clear();
  expect_only_error(project({write(nameless)}, "cat,dog,owl"), 2,
                    "the file has no names: give class numbers");
  EXPECT_EQ(project({file}, "2,0,1").exit_code, 0);
  // A name with a comma.
  auto comma = sample();
  comma.names[0] = "cat, Felis catus";
  EXPECT_EQ(smoothlab({"project", write(comma), "--classes", "cat, Felis catus", "--classes", "dog",
                       "--classes", "owl"})
                .exit_code,
            0);
}

TEST_F(ProjectVerbSlow, FilesThatCannotBeProjected) {
  auto s = sample();
  s.with_penultimate = false;
  expect_refused(s, 3, "there is no /penultimate");
  s = sample();
  s.with_classifier = false;
  expect_refused(s, 3, "there is no /classifier/weight");
  s = sample();
  for (auto& label : s.labels) label = label == 1 ? 0 : label;
  expect_refused(s, 3, "no row is of class 1 (dog)");
  s.labels[3] = 7;
  expect_refused(s, 3, "label 7 of row 3 is not in 0–4");
  s = sample();
  for (size_t i = 0; i < 7; ++i) s.weight[14 + i] = 2 * s.weight[7 + i] - s.weight[i];
  s.bias[2] = 2 * s.bias[1] - s.bias[0];
  expect_refused(s, 3, "the templates of cat, dog and owl lie on a line: the smallest height");
  s = sample();
  s.weight.assign(s.weight.size(), 0);
  s.bias.assign(s.bias.size(), 0);
  expect_refused(s, 3, "are equal: they span no plane");
  s = sample();
  s.activations[5 * 7 + 3] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(s, 3, "value 3 of row 5 of /penultimate is nan");
  expect_only_error(project({folder / "none.h5"}, "0,1,2"), 3, "no such file");
}

TEST_F(ProjectVerbSlow, EachBadFileHasALineAndTheOthersAreReported) {
  auto bad = sample();
  bad.with_penultimate = false;
  const auto result = project({write(bad, "bad.h5"), write(sample(), "good.h5")}, "cat,dog,owl",
                              {"--json", "--figures", folder / "f", "--format", "svg"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  ASSERT_EQ(json::parse(result.out).size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(folder / "f/projection-cat-dog-owl.svg"));
}

TEST_F(ProjectVerbSlow, FiguresReplaceFiguresOnly) {
  const auto file = write(sample()), figures = folder / "figures";
  for (const int round : {1, 2})
    ASSERT_EQ(project({file}, "cat,dog,owl", {"--figures", figures}).exit_code, 0) << round;
  write_text(figures + "/projection-cat-dog-owl.png", "mine");
  expect_only_error(project({file}, "cat,dog,owl", {"--figures", figures}), 2, "projection-cat-dog-owl.png");
  EXPECT_EQ(read_text(figures + "/projection-cat-dog-owl.png"), "mine");
  expect_only_error(project({file}, "cat,dog,owl", {"--figures", file}), 2, "x.h5");
  expect_only_error(project({file}, "cat,dog,owl", {"--figures", figures, "--format", "svg,gif"}), 2, "gif");
}

// A virtual file over the shards of two ranks is the same as one plain file.
TEST_F(ProjectVerbSlow, ShardsAreReadThroughTheirWholeFile) {
  const auto whole = folder / "test.h5";
  std::vector<std::string> shards;
  for (int rank = 0; rank < 2; ++rank) {
    shards.push_back(eval::shard_path(whole, "a1", rank, 2));
    write_shard(shards.back(), {60, 40, 3, false, eval::LogitPrecision::float32}, 60 * rank, 8, true);
  }
  eval::publish_logit_file(whole, shards);
  ASSERT_EQ(smoothlab({"logits", "pack", whole, folder / "packed.h5"}).exit_code, 0);
  const auto result = project({whole, shards[0], shards[1], folder / "packed.h5"}, "0,1,27", {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 2U);  // shards are left out
  auto both = json::parse(result.out);
  ASSERT_EQ(both.size(), 2U);
  for (auto& one : both) one.erase("file");
  EXPECT_EQ(both[0]["points"].size(), 9U);
  EXPECT_TRUE(both[0] == both[1]);
}

TEST_F(ProjectVerbSlow, TheDocumentNamesEveryKeyOfJson) {
  const auto documented = documented_names("docs/projection.md");
  const auto result = project({write(sample())}, "cat,dog,owl", {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  for (const json& object : {report, report["chosen"][0], report["points"][0]})
    for (const auto& [key, value] : object.items()) EXPECT_EQ(documented.count(key), 1U) << key;
}

}  // namespace
}  // namespace smoothlab::test
