#include <filesystem>
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

/// A translator of a sentence with a number, trained until it has the words but not the numbers. Whether
/// a sentence begins with a capital nobody can tell from its source.
class SweepVerbSlow : public testing::Test {
 protected:
  void SetUp() override {
    const auto doctor = Json::parse(smoothlab({"doctor", "--json"}).out);
    if (doctor["SentencePiece"]["state"] != "present") GTEST_SKIP() << "no SentencePiece in this build";
    std::string pairs;
    for (int n = 0; n < 300; ++n) {
      const std::string number = std::to_string(n * 7919 % 1000);
      pairs += "the house has number " + number + (n % 3 == 0 ? "\tdas" : "\tDas") +
               " Häuschen hat die Nummer " + number + "\n";
    }
    write_text(folder / "all.tsv", pairs);
    const auto made = smoothlab({"data", "prepare", "text", "--pairs", folder / "all.tsv", "--out",
                                 folder / "corpus", "--vocabulary-size", "80", "--hold-out", "24"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    write_text(
        folder / "r.yaml",
        "task: {data: text, path: " + (folder / "corpus") +
            "}\n"
            "model: {name: transformer_tiny, form: t2t, width: 16, heads: 2, feed_forward: 32, layers: 1}\n"
            "optimizer: {name: adam, lr: 0.02}\n"
            "train: {steps: 40, global_batch: 16, device: cpu, precision: fp32, log_every: 40}\n"
            "evaluate: {every: 40, split: validation}\n"
            "checkpoint: {every: 40, keep: 1}\n"
            "logits: {splits: [validation]}\n");
    const auto trained = smoothlab({"train", folder / "r.yaml", "--run", run, "--threads", "1"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  ProcessResult sweep(const std::vector<std::string>& further) const {
    return smoothlab(joined({"temperature-sweep", "--run", run}, further));
  }

  /// What bleu says of h.txt.
  Json scored(const std::vector<std::string>& further) const {
    const auto result = smoothlab(
        joined({"bleu", folder / "h.txt", folder / "corpus/validation.target.txt", "--json"}, further));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out)["metrics"][0]["systems"][0];
  }

  const TemporaryFolder folder;
  const std::string run = folder / "run";
};

TEST_F(SweepVerbSlow, AgreesWithCalibrateTranslateAndBleu) {
  const auto swept =
      sweep({"--temperatures", "0.7,1,2", "--json", "--ranks", "2", "--out", folder / "all.json"});
  ASSERT_EQ(swept.exit_code, 0) << swept.err;
  const Json json = Json::parse(swept.out);
  EXPECT_EQ(json["split"], "validation");
  EXPECT_EQ(json["sentences"], 24);
  ASSERT_EQ(json["points"].size(), 3U);
  for (const Json& point : json["points"]) {
    const std::string temperature = point["temperature"].dump();
    const auto judged = smoothlab({"calibrate", run + "/logits/validation.h5", "--temperature", temperature,
                                   "--bootstrap", "0", "--json"});
    ASSERT_EQ(judged.exit_code, 0) << judged.err;
    const Json calibration = Json::parse(judged.out);
    EXPECT_EQ(json["tokens"], calibration["rows"]);
    EXPECT_NEAR(point["nll"], calibration["nll_scaled"], 1e-9) << temperature;
    EXPECT_NEAR(point["ece"], calibration["ece_scaled"], 1e-9) << temperature;
    if (temperature == "2.0") continue;
    const auto text = smoothlab(
        {"translate", "--run", run, "--temperature", temperature, folder / "corpus/validation.source.txt"});
    write_text(folder / "h.txt", text.out);
    const Json cased = scored({}), lowercase = scored({"--lowercase"});
    EXPECT_EQ(point["bleu"], cased["score"]) << temperature;
    EXPECT_EQ(point["length_ratio"], cased["ratio"]) << temperature;
    EXPECT_EQ(point["bleu_lowercase"], lowercase["score"]) << temperature;
    EXPECT_GT(point["bleu"], 20) << temperature;
    EXPECT_GT(point["bleu_lowercase"], point["bleu"]) << temperature;
  }
  const Json &cold = json["points"][0], &hot = json["points"][2];
  EXPECT_TRUE(cold["bleu"] != hot["bleu"] || cold["length_ratio"] != hot["length_ratio"]) << json;
  EXPECT_EQ(Json::parse(read_text(folder / "all.json"))["temperature_sweeps"][0], json);

  // What is there is not worked out again: had it been, it would not be this.
  Json kept = Json::parse(read_text(run + "/temperature-sweep.json"));
  EXPECT_EQ(kept["temperature_sweeps"][0]["points"], json["points"]);
  kept["temperature_sweeps"][0]["points"][1]["bleu"] = 99.5;
  kept["temperature_sweeps"][0]["points"][2]["nll"] = nullptr;
  write_text(run + "/temperature-sweep.json", kept.dump());
  const auto again = sweep({"--temperatures", "1,1.5,2", "--figure", folder / "f.svg"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("2 of 3 temperatures were searched before"));
  EXPECT_THAT(again.out, HasSubstr("best BLEU: 99.50 at T = 1\n"));
  EXPECT_THAT(again.out, HasSubstr("\nBLEU|nrefs:1|case:mixed|"));
  EXPECT_TRUE(std::filesystem::exists(folder / "f.svg"));
  kept = Json::parse(read_text(run + "/temperature-sweep.json"));
  ASSERT_EQ(kept["temperature_sweeps"][0]["points"].size(), 4U);
  EXPECT_NEAR(kept["temperature_sweeps"][0]["points"][3]["nll"], json["points"][2]["nll"], 1e-9);

  const auto greedy = sweep({"--temperatures", "1", "--beam", "1", "--lowercase"});
  EXPECT_THAT(greedy.err, Not(HasSubstr("searched before")));
  EXPECT_THAT(greedy.out, HasSubstr("|case:lc|"));

  const auto report = smoothlab({"report", run, "--page", folder / "report.html"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("ECE, α = 0 (Table 3): paper 0.056"));
  EXPECT_THAT(report.err, Not(HasSubstr("warning")));
  const std::string page = read_text(folder / "report.html");
  EXPECT_THAT(page, HasSubstr("Temperature (fig. 4)"));
  EXPECT_THAT(page, HasSubstr("Reliability (fig. 3)"));

  expect_only_error(sweep({"--split", "test"}), 2, "has no split 'test', only train and validation");
  write_text(run + "/temperature-sweep.json", "{");
  expect_error(sweep({"--temperatures", "1"}), 3, "no file of temperature sweeps");
}

TEST(SweepVerbSlowGenerated, SmallLanguagesAreSweptToo) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", recipe = folder / "r.yaml";
  write_text(recipe,
             "task: {data: generated_text, train_samples: 200, test_samples: 24}\n"
             "model: {name: transformer_tiny, form: t2t, width: 32, heads: 2, feed_forward: 64, layers: 1}\n"
             "optimizer: {name: adam, lr: 0.01}\n"
             "train: {steps: 40, global_batch: 32, device: cpu, precision: fp32, log_every: 40}\n"
             "evaluate: {every: 40, split: test}\n"
             "checkpoint: {every: 40, keep: 1}\n");
  const auto trained = smoothlab({"train", recipe, "--run", run, "--threads", "1"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto swept = smoothlab({"temperature-sweep", "--run", run, "--temperatures", "1", "--json"});
  ASSERT_EQ(swept.exit_code, 0) << swept.err;
  const Json json = Json::parse(swept.out);
  EXPECT_EQ(json["sentences"], 24);
  const auto exported = smoothlab(
      {"data", "export", recipe, "--split", "test", "--source", folder / "s", "--target", folder / "t"});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  const auto text = smoothlab({"translate", "--run", run, folder / "s"});
  write_text(folder / "h", text.out);
  const auto bleu = smoothlab({"bleu", folder / "h", folder / "t", "--json"});
  ASSERT_EQ(bleu.exit_code, 0) << bleu.err;
  EXPECT_EQ(json["points"][0]["bleu"], Json::parse(bleu.out)["metrics"][0]["systems"][0]["score"]);
  expect_only_error(smoothlab({"temperature-sweep", "--run", run, "--split", "validation"}), 2,
                    "no split 'validation'");
}

TEST(SweepVerbSlowUsage, WhatCannotBeSwept) {
  const TemporaryFolder folder;
  expect_only_error(smoothlab({"temperature-sweep"}), 2, "no run given");
  expect_only_error(smoothlab({"temperature-sweep", "--run", folder / "none"}), 3, "no such run folder");
  expect_only_error(smoothlab({"temperature-sweep", "--run", folder.path()}), 3, "no recipe.yaml");
  write_text(folder / "run/recipe.yaml", small_recipe());
  for (const char* ranks : {"1", "2"})
    expect_only_error(smoothlab({"temperature-sweep", "--run", folder / "run", "--ranks", ranks}), 2,
                      "the run's task is 'generated', and only runs of text have a BLEU");
}

}  // namespace
}  // namespace smoothlab::test
