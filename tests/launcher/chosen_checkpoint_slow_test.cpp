// A run that chooses its checkpoint, from training to the report, through the program itself.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ChosenCheckpointSlow : public testing::Test {
 protected:
  ChosenCheckpointSlow() {
    // From step 5 on the rate is so high that what was learnt is forgotten.
    write_text(folder / "r.yaml",
               small_recipe_with({{"train_samples: 96", "train_samples: 96, validation: 24"},
                                  {"every: 6, split: test", "every: 1"},
                                  {"every: 4, keep: 2", "every: 4, keep: 1, best: nll"}}) +
                   "schedule: {name: step, at: [5], factor: 60}\n"
                   "logits: {splits: [validation, test]}\n");
    write_text(folder / "plain.yaml", small_recipe());
  }
  ProcessResult train(const std::string& recipe, const std::string& run,
                      const std::vector<std::string>& more = {}) const {
    return smoothlab(joined(
        {"train", folder / recipe, "--run", folder / run, "--ranks", std::to_string(ranks), "--threads", "1"},
        more));
  }
  ProcessResult evaluate(const std::string& run, const std::vector<std::string>& more) const {
    return smoothlab(joined(
        {"evaluate", "--run", folder / run, "--ranks", std::to_string(ranks), "--threads", "1"}, more));
  }
  /// The first line with the lowest NLL.
  json best(const std::string& run) const {
    json found;
    for (const auto& text : lines_of(read_text(run + "/metrics.jsonl"))) {
      const json line = json::parse(text);
      if (line.contains("split") && (found.is_null() || line["nll"] < found["nll"])) found = line;
    }
    EXPECT_LT(found["step"], 12) << "the case that matters";
    return found;
  }
  TemporaryFolder folder;
  int ranks = 1;
};

class ChosenCheckpointSlowOnRanks : public ChosenCheckpointSlow, public testing::WithParamInterface<int> {
 protected:
  ChosenCheckpointSlowOnRanks() { ranks = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(, ChosenCheckpointSlowOnRanks, testing::Values(1, 2));

TEST_P(ChosenCheckpointSlowOnRanks, StandsForTheRun) {
  const auto trained = train("r.yaml", "run", {"--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json outcome = json::parse(trained.out), line = best(folder / "run");
  const std::string step = std::to_string(line["step"].get<int>());
  EXPECT_EQ(outcome["step"], 12);
  EXPECT_EQ(outcome["evaluation"]["step"], line["step"]);
  EXPECT_THAT(trained.err, HasSubstr("the best by nll is step " + step));
  EXPECT_EQ(read_text(folder / "run/checkpoints/best"), "step-" + step + "\n");

  const std::string plain = folder / "run/logits/validation.h5", of_run = read_text(plain);
  const auto evaluated = evaluate("run", {"--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json evaluation = json::parse(evaluated.out);
  EXPECT_EQ(evaluation["step"], line["step"]);
  EXPECT_EQ(evaluation["best"], "nll");
  EXPECT_EQ(evaluation["split"], "validation");
  EXPECT_EQ(evaluation["logits"], plain);
  EXPECT_NEAR(evaluation["nll"].get<double>(), line["nll"].get<double>(), 1e-9);
  EXPECT_THAT(evaluated.err, HasSubstr("the checkpoint of step " + step + ", the best by nll"));

  const std::string chosen = read_text(plain);
  const auto last = evaluate("run", {"--checkpoint", "last", "--json"});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(json::parse(last.out)["step"], 12);
  EXPECT_TRUE(json::parse(last.out)["best"].is_null());
  EXPECT_EQ(json::parse(last.out)["logits"], folder / "run/logits/step-12-validation.h5");
  EXPECT_GT(json::parse(last.out)["nll"], line["nll"]);
  EXPECT_EQ(read_text(plain), chosen);
  const auto same = evaluate("run", {"--checkpoint", "best", "--split", "test"});
  ASSERT_EQ(same.exit_code, 0) << same.err;
  EXPECT_THAT(same.out, HasSubstr("step " + step + " (the best by nll), test: 51 rows"));
}

TEST_P(ChosenCheckpointSlowOnRanks, IsAskedForByName) {
  ASSERT_EQ(train("plain.yaml", "run").exit_code, 0);
  expect_only_error(evaluate("run", {"--checkpoint", "newest"}), 2, "--checkpoint");
  expect_only_error(evaluate("run", {"--checkpoint", "bset"}), 2, "'best'");
  expect_only_error(evaluate("run", {"--checkpoint", "last", "--step", "12"}), 2, "two checkpoints");
  expect_error(evaluate("run", {"--checkpoint", "best"}), 2, "the run has chosen no best checkpoint");
  const auto last = evaluate("run", {"--checkpoint", "last", "--json"});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(json::parse(last.out)["logits"], folder / "run/logits/test.h5") << "it stands for the run";
}

TEST_P(ChosenCheckpointSlowOnRanks, IsNamedWhereItIsDamaged) {
  ASSERT_EQ(train("r.yaml", "run").exit_code, 0);
  const std::string step = "step-" + std::to_string(best(folder / "run")["step"].get<int>());
  damage(folder / ("run/checkpoints/" + step + "/weights.safetensors"));
  expect_error(evaluate("run", {}), 3, step);
  expect_error(train("r.yaml", "run", {"--resume", "--set", "train.steps=16"}), 3, "checkpoint.best=none");
  EXPECT_EQ(evaluate("run", {"--checkpoint", "last"}).exit_code, 0);
  const std::vector<std::string> without = {"--resume", "--set", "train.steps=16", "--set",
                                            "checkpoint.best=none"};
  EXPECT_EQ(train("r.yaml", "run", without).exit_code, 0);
}

TEST_P(ChosenCheckpointSlowOnRanks, IsNotChosenOnTestSamples) {
  expect_error(train("r.yaml", "run", {"--set", "evaluate.split=test"}), 2, "evaluate.split");
  expect_error(train("r.yaml", "run", {"--set", "task.validation=0"}), 2,
               "no samples are held out, and a checkpoint is not chosen on the test split");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_F(ChosenCheckpointSlow, TeachesAndIsCollectedAndReported) {
  write_text(folder / "study.yaml",
             "stages:\n"
             "  teachers: {recipe: r.yaml, grid: {train.seed: [1, 2]}}\n"
             "  students:\n"
             "    after: {stage: teachers, where: {train.seed: 1}}\n"
             "    recipe: plain.yaml\n"
             "    set: {task.validation: 24, teacher: {loss: hinton, run: =teachers.run, beta: 0.5}}\n");
  for (const char* packed : {"", "packed-"}) {
    const std::string runs = folder / (std::string(packed) + "runs");
    std::vector<std::string> study = {"study", folder / "study.yaml", "--runs", runs, "--threads", "1"};
    const auto trained = smoothlab(*packed ? joined(study, {"--packed", "2"}) : study);
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const auto collected = smoothlab(joined(study, {"collect", "--json"}));
    ASSERT_EQ(collected.exit_code, 0) << collected.err;
    const json results = json::parse(collected.out);
    ASSERT_EQ(results["runs"].size(), 3U);
    double sum = 0;
    for (const int seed : {1, 2}) {
      const json line = best(runs + "/teachers/seed-" + std::to_string(seed));
      EXPECT_EQ(results["runs"][seed - 1]["evaluation"]["step"], line["step"]);
      sum += line["nll"].get<double>();
    }
    EXPECT_NEAR(results["groups"][0]["metrics"]["nll"]["mean"].get<double>(), sum / 2, 1e-12);
    const json teacher = json::parse(read_text(runs + "/students/teachers-seed-1/teacher.json"));
    EXPECT_EQ(teacher["step"], best(runs + "/teachers/seed-1")["step"]);

    const std::string page = folder / "report.html";
    const auto report = smoothlab({"report", runs, "--page", page, "--json"});
    ASSERT_EQ(report.exit_code, 0) << report.err;
    const std::string of = std::to_string(best(runs + "/teachers/seed-2")["step"].get<int>()) + " of 12";
    EXPECT_THAT(read_text(page), HasSubstr(of));
  }
  // A run that has ended does not choose again.
  const std::string recipe = read_text(folder / "r.yaml");
  std::string other = recipe;
  other.replace(other.find("best: nll"), 9, "best: accuracy");
  write_text(folder / "r.yaml", other);
  expect_error(smoothlab({"study", folder / "study.yaml", "--runs", folder / "runs"}), 2,
               "checkpoint.best: nll → accuracy");
}

}  // namespace
}  // namespace smoothlab::test
