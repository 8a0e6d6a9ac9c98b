// Translation from end to end, on generated text, through the program itself.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class TranslationSlow : public testing::Test {
 protected:
  TranslationSlow() {
    write_text(
        recipe,
        "task: {data: generated_text, train_samples: 120, test_samples: 30}\n"
        "model: {name: transformer_tiny, form: t2t, width: 16, feed_forward: 32, heads: 2, dropout: 0.1}\n"
        "optimizer: {name: adam, lr: 0.01}\n"
        "train: {steps: 8, global_tokens: 256, device: cpu, log_every: 1}\n"
        "evaluate: {split: test}\n"
        "checkpoint: {every: 4, keep: 4}\n");
  }
  ProcessResult train(const std::string& run, const std::vector<std::string>& more = {}) const {
    return smoothlab(joined({"train", recipe, "--run", folder / run, "--threads", "1", "--json"}, more));
  }
  TemporaryFolder folder;
  const std::string recipe = folder / "small.yaml";
};

TEST_F(TranslationSlow, TrainEvaluateTranslateScore) {
  const auto one = train("one", {"--ranks", "1"}), two = train("two", {"--ranks", "2"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  ASSERT_EQ(two.exit_code, 0) << two.err;
  const json a = json::parse(one.out)["evaluation"], b = json::parse(two.out)["evaluation"];
  EXPECT_EQ(a["rows"], b["rows"]);
  // The same samples in the same steps, sums rounded otherwise.
  EXPECT_NEAR(a["nll"].get<double>(), b["nll"].get<double>(), 1e-3);

  const auto evaluated = smoothlab({"evaluate", "--run", folder / "one", "--ranks", "2", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_NEAR(json::parse(evaluated.out)["nll"].get<double>(), a["nll"].get<double>(), 1e-4);
  const auto calibrated =
      smoothlab({"calibrate", folder / "one/logits/test.h5", "--json", "--bootstrap", "0"});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  EXPECT_EQ(json::parse(calibrated.out)["rows"], a["rows"]);

  const std::string source = folder / "test.source", target = folder / "test.target";
  const auto exported = smoothlab(
      {"data", "export", folder / "one/recipe.yaml", "--source", source, "--target", target, "--json"});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  const json limits = json::parse(exported.out);
  EXPECT_EQ(limits["pairs"], 30);
  EXPECT_EQ(limits["rows"], a["rows"]);
  EXPECT_LT(limits["best_nll"].get<double>(), a["nll"].get<double>());

  const auto alone = smoothlab({"translate", "--run", folder / "one", source}),
             together = smoothlab({"translate", "--run", folder / "one", source, "--ranks", "2"});
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  ASSERT_EQ(together.exit_code, 0) << together.err;
  EXPECT_EQ(lines_of(alone.out).size(), 30U);
  EXPECT_EQ(together.out, alone.out);
  write_text(folder / "test.output", alone.out);
  const auto scored = smoothlab({"bleu", folder / "test.output", target});
  EXPECT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_THAT(smoothlab({"bleu", target, target}).out, HasSubstr(" = 100.0 "));
}

TEST_F(TranslationSlow, TranslatingEndsWithItsReaderAndItsInput) {
  ASSERT_EQ(train("one").exit_code, 0);
  const auto shell = [&](const std::string& command) {
    return run_process({"/bin/sh", "-c",
                        "cd '" + folder.path() + "'; t='" + program() + " translate --run one'; " + command});
  };
  for (const std::string ranks : {"1", "2"}) {
    // It ended with an error about the pipe.
    const auto piped =
        shell("yes a dog has the farmer today | { $t --ranks " + ranks + "; echo $? > code; } | head -n 1");
    EXPECT_EQ(lines_of(piped.out).size(), 1U) << piped.err;
    EXPECT_THAT(piped.err, Not(HasSubstr("error"))) << ranks;
    EXPECT_EQ(read_text(folder / "code"), "141\n") << ranks;
    // With ranks it was taken for the end, and for a success.
    expect_error(shell("$t --ranks " + ranks + " < ."), 3, "cannot read: Is a directory");
  }
  const auto crowded = shell("echo a dog | taskset -c 0 $t --ranks 2 --threads 1");
  EXPECT_THAT(crowded.err, HasSubstr("warning: 2 ranks on 1 core"));
  EXPECT_THAT(crowded.err, HasSubstr("1 line translated"));
}

TEST_F(TranslationSlow, GoesOnBitwise) {
  ASSERT_EQ(train("whole").exit_code, 0);
  ASSERT_EQ(train("cut").exit_code, 0);
  // As a run that was killed on its way to the end would have left it.
  std::vector<std::string> checkpoints;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cut/checkpoints"))
    checkpoints.push_back(entry.path().string());
  std::sort(checkpoints.begin(), checkpoints.end());
  ASSERT_GE(checkpoints.size(), 2U);
  const std::string last = std::filesystem::path(checkpoints.back()).filename().string();
  std::filesystem::remove_all(checkpoints.back());
  const auto resumed = train("cut", {"--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed after step 4"));
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / ("whole/checkpoints/" + last)))
    if (entry.path().extension() == ".safetensors") {
      EXPECT_TRUE(read_text(entry.path().string()) ==
                  read_text(folder / ("cut/checkpoints/" + last + "/") + entry.path().filename().string()))
          << entry.path();
      ++compared;
    }
  EXPECT_GE(compared, 1);
}

TEST_F(TranslationSlow, ExportNamesWhatIsWrong) {
  expect_only_error(smoothlab({"data", "export", recipe, "--split", "validation"}), 2,
                    "no split 'validation'");
  expect_only_error(smoothlab({"data", "export", recipe, "--split", "tests"}), 2, "unknown split");
  expect_only_error(smoothlab({"data", "export", recipe, "--source", recipe}), 2,
                    "something else stands there");
  write_text(folder / "images.yaml", small_recipe());
  expect_only_error(smoothlab({"data", "export", folder / "images.yaml"}), 2, "only generated text");
}

}  // namespace
}  // namespace smoothlab::test
