// What a newcomer's first commands do: train, evaluate, calibrate, through the program itself.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class EndToEndSlow : public testing::TestWithParam<int> {
 protected:
  EndToEndSlow() { write_text(recipe(), small_recipe()); }
  std::string recipe() const { return folder / "small.yaml"; }
  std::string ranks() const { return std::to_string(GetParam()); }
  ProcessResult train(const std::string& run, const std::vector<std::string>& more = {}) const {
    return smoothlab(joined({"train", recipe(), "--run", folder / run, "--ranks", ranks()}, more));
  }
  TemporaryFolder folder;
};
INSTANTIATE_TEST_SUITE_P(, EndToEndSlow, testing::Values(1, 2));

TEST_P(EndToEndSlow, TrainEvaluateCalibrate) {
  const auto trained = train("a", {"--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json outcome = json::parse(trained.out);
  EXPECT_EQ(outcome["run"], folder / "a");
  EXPECT_EQ(outcome["outcome"], "finished");
  EXPECT_EQ(outcome["step"], 12);
  EXPECT_EQ(outcome["steps"], 12);
  EXPECT_EQ(outcome["evaluation"]["step"], 12);
  EXPECT_EQ(outcome["evaluation"]["rows"], 51);

  // The run says the same of its last step as an evaluation afterwards: every sample once, on any ranks.
  const auto evaluated = smoothlab({"evaluate", "--run", folder / "a", "--ranks", ranks(), "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json evaluation = json::parse(evaluated.out);
  EXPECT_EQ(evaluation["split"], "test");
  EXPECT_EQ(evaluation["rows"], 51);
  for (const char* name : {"accuracy", "top5_accuracy", "nll", "brier", "ece"})
    EXPECT_NEAR(evaluation[name].get<double>(), outcome["evaluation"][name].get<double>(), 1e-9) << name;

  const auto calibrated = smoothlab({"calibrate", folder / "a/logits/test.h5", "--json"});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  EXPECT_EQ(calibrated.err, "");
  const json report = json::parse(calibrated.out);
  for (const char* name : {"rows", "classes", "accuracy", "top5_accuracy", "nll", "brier", "ece", "ece_ci95",
                           "temperature", "nll_scaled", "ece_scaled"})
    EXPECT_TRUE(report.contains(name) && !report[name].is_null()) << name;
  EXPECT_EQ(report["rows"], 51);
  EXPECT_EQ(report["classes"], 10);
  EXPECT_EQ(report["ece_ci95"].size(), 2U);
  EXPECT_NEAR(report["nll"].get<double>(), evaluation["nll"].get<double>(), 1e-5);
  EXPECT_LE(report["nll_scaled"].get<double>(), report["nll"].get<double>());
}

TEST_P(EndToEndSlow, HardAndSmoothedTargetsAreComparedAsInTable3) {
  for (const std::string alpha : {"0", "0.1"}) {
    ASSERT_EQ(train("alpha-" + alpha, {"--set", "targets.alpha=" + alpha}).exit_code, 0);
    ASSERT_EQ(smoothlab({"evaluate", "--run", folder / ("alpha-" + alpha), "--ranks", ranks()}).exit_code, 0);
  }
  const std::string hard = folder / "alpha-0/logits/test.h5", smoothed = folder / "alpha-0.1/logits/test.h5";
  const std::string page = folder / "pages/calibration.html", figures = folder / "figures";
  const auto both = smoothlab({"calibrate", hard, smoothed, "--page", page, "--figures", figures});
  ASSERT_EQ(both.exit_code, 0) << both.err;
  for (const char* words :
       {"hard targets (ECE)", "temperature-scaled (ECE)", "smoothed (ECE)", "(alpha=0.1)"})
    EXPECT_THAT(both.out, HasSubstr(words));
  EXPECT_THAT(read_text(page), HasSubstr("What smoothing did to calibration"));
  for (const char* name :
       {"alpha-0-test.svg", "alpha-0-test.png", "alpha-0.1-test.svg", "alpha-0.1-test.png"})
    EXPECT_TRUE(std::filesystem::exists(figures + "/" + name)) << name;
  EXPECT_EQ(smoothlab({"calibrate", hard}).out.find("What smoothing did"), std::string::npos)
      << "one file has nothing to be compared with";
  EXPECT_EQ(json::parse(smoothlab({"calibrate", hard, smoothed, "--json"}).out).size(), 2U);
}

TEST_P(EndToEndSlow, AnEarlierStepDoesNotReplaceTheRowsOfTheNewest) {
  ASSERT_EQ(train("a").exit_code, 0);
  ASSERT_EQ(smoothlab({"evaluate", "--run", folder / "a", "--ranks", ranks()}).exit_code, 0);
  const std::string newest = read_text(folder / "a/logits/test.h5");
  const auto earlier =
      smoothlab({"evaluate", "--run", folder / "a", "--ranks", ranks(), "--step", "8", "--json"});
  ASSERT_EQ(earlier.exit_code, 0) << earlier.err;
  EXPECT_EQ(json::parse(earlier.out)["logits"], folder / "a/logits/step-8-test.h5");
  EXPECT_EQ(smoothlab({"calibrate", folder / "a/logits/step-8-test.h5"}).exit_code, 0);
  EXPECT_EQ(read_text(folder / "a/logits/test.h5"), newest);
}

}  // namespace
}  // namespace smoothlab::test
