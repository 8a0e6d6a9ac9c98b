// Where evaluate may write its logit file, and what it leaves where it cannot.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

class EvaluateOutputSlow : public testing::Test {
 protected:
  EvaluateOutputSlow() {
    write_text(folder / "r.yaml", small_recipe());
    EXPECT_EQ(smoothlab({"train", folder / "r.yaml", "--run", folder / "run"}).exit_code, 0);
  }
  ProcessResult evaluate(const std::vector<std::string>& more) const {
    return smoothlab(joined({"evaluate", "--run", folder / "run"}, more));
  }
  std::vector<std::string> names(const std::string& path) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      found.push_back(entry.path().filename().string());
    return found;
  }
  TemporaryFolder folder;
};

// A folder used to fail after all the work and to leave a shard; other files were replaced without a word.
TEST_F(EvaluateOutputSlow, ReplacesALogitFileOnlyAndFailsBeforeTheWork) {
  const auto notes = folder / "out/notes.txt";
  write_text(notes, "mine");
  for (const auto& other : {folder / "out", notes})
    expect_only_error(evaluate({"--logits", other}), 2, other);
  EXPECT_EQ(read_text(notes), "mine");
  EXPECT_EQ(names(folder / "out").size(), 1U);
  const auto file = folder / "new/deep/test.h5";
  for (const int round : {1, 2}) EXPECT_EQ(evaluate({"--logits", file}).exit_code, 0) << round;
  EXPECT_EQ(names(folder / "new/deep"), std::vector<std::string>{"test.h5"});
  std::filesystem::create_directories(folder / "run/logits/test.h5");
  expect_only_error(evaluate({}), 2, "run/logits/test.h5");
}

TEST_F(EvaluateOutputSlow, KeepsASummaryThatCalibrateReadsAndOthersRefuse) {
  const auto full = folder / "full.h5", summary = folder / "summary.h5";
  ASSERT_EQ(evaluate({"--logits", full}).exit_code, 0);
  ASSERT_EQ(evaluate({"--logits", summary, "--keep", "summary", "--ranks", "2"}).exit_code, 0);
  const auto of = [](const std::string& file) {
    const auto result = smoothlab({"calibrate", file, "--json", "--bootstrap", "0"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  };
  const auto wanted = of(full), found = of(summary);
  EXPECT_EQ(found["accuracy"], wanted["accuracy"]);
  for (const char* name : {"nll", "brier", "ece", "ece_adaptive"})
    EXPECT_NEAR(found[name].get<double>(), wanted[name].get<double>(), 1e-6) << name;
  EXPECT_TRUE(found["ece_classwise"].is_null());
  const std::string refusal = "the file is a summary, without the logits that this takes";
  expect_only_error(smoothlab({"project", summary, "--classes", "0,1,2"}), 3, refusal);
  expect_only_error(smoothlab({"information", summary, "--classes", "0,1"}), 3, refusal);
  expect_only_error(smoothlab({"logits", "pack", summary, folder / "packed.h5"}), 3, refusal);
  expect_only_error(smoothlab({"logits", "compact", summary, folder / "small.h5", "--top-k", "2"}), 3,
                    refusal);
  expect_only_error(smoothlab({"calibrate", summary, "--gamma", "1"}), 2, "not in a summary");
  expect_only_error(smoothlab({"calibrate", summary, "--temperature", "5"}), 2, "outside 0.25–4");
  EXPECT_EQ(smoothlab({"logits", "info", summary}).exit_code, 0);
  expect_only_error(evaluate({"--keep", "sumary"}), 2, "summary");
  expect_only_error(evaluate({"--keep", "summary", "--precision", "float16"}), 2, "--precision");
  expect_only_error(evaluate({"--keep", "summary", "--classes", "ring,disc"}), 2, "--keep");
}

// A run's summary used to be replaced by a full file, which takes many times the room.
TEST_F(EvaluateOutputSlow, KeepsWhatTheRecipeKeeps) {
  write_text(folder / "s.yaml", std::string(small_recipe()) + "logits: {splits: [test], keep: summary}\n");
  ASSERT_EQ(smoothlab({"train", folder / "s.yaml", "--run", folder / "summed"}).exit_code, 0);
  const std::string run = folder / "summed", file = run + "/logits/test.h5";
  const auto is_summary = [&] {
    return smoothlab({"information", file, "--classes", "0,1"}).err.find("a summary") != std::string::npos;
  };
  ASSERT_TRUE(is_summary());
  ASSERT_EQ(smoothlab({"evaluate", "--run", run}).exit_code, 0);
  EXPECT_TRUE(is_summary());
  expect_error(smoothlab({"evaluate", "--run", run, "--precision", "float16"}), 2, "--keep full");
  ASSERT_EQ(smoothlab({"evaluate", "--run", run, "--keep", "full"}).exit_code, 0);
  EXPECT_FALSE(is_summary());
}

// --split validation used to be answered with the test split.
TEST_F(EvaluateOutputSlow, ASplitThatIsNotThereIsNotAnotherOne) {
  expect_error(evaluate({"--split", "validation"}), 2,
               "the task 'generated' has no split 'validation', only train and test (--split)");
  EXPECT_EQ(evaluate({"--split", "test"}).exit_code, 0);
}

}  // namespace
}  // namespace smoothlab::test
