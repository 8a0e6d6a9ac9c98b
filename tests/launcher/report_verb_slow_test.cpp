// The demo study, shortened: what smoothing does on embedded images and sentences, through the program
// itself.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string holds(const json& subject, const std::string& words) {
  for (const auto& claim : subject.at("claims"))
    if (claim.at("paper").get<std::string>().find(words) != std::string::npos) return claim.at("holds");
  return "missing";
}

TEST(ReportVerbSlow, TheDemoShowsWhatSmoothingDoes) {
  const TemporaryFolder folder;
  const std::string study = source_path("recipes/demo/study.yaml"), runs = folder / "runs";
  const auto trained = smoothlab({"study", study, "--runs", runs, "--jobs", "2", "--only", "*seed-1"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const std::string page = folder / "report.html";
  const auto report =
      smoothlab({"report", runs, "--page", page, "--classes", "disc,square,triangle", "--json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const json subjects = json::parse(report.out);
  ASSERT_EQ(subjects.size(), 2U);
  const json &subject = subjects[0], &translators = subjects[1];
  EXPECT_EQ(holds(subject, "label smoothing lowers the calibration error"), "yes") << subject;
  EXPECT_EQ(holds(subject, "temperature scaling lowers"), "yes") << subject;
  EXPECT_EQ(holds(subject, "clusters tighter, train"), "yes") << subject;
  EXPECT_EQ(holds(subject, "information rises early in training and falls later"), "yes") << subject;
  EXPECT_EQ(holds(subject, "falls further from its height under smoothing"), "yes") << subject;
  EXPECT_EQ(holds(subject, "less information"), "yes") << subject;
  EXPECT_EQ(holds(translators, "label smoothing lowers the calibration error"), "yes") << translators;
  EXPECT_EQ(holds(translators, "temperature scaling lowers"), "yes") << translators;
  const std::string html = read_text(page);
  for (const char* part :
       {"Reliability (fig. 2)", "Penultimate projections (fig. 1)", "Mutual information (fig. 6)",
        "Reliability (fig. 3)", "Penultimate projections (fig. 7)"})
    EXPECT_THAT(html, HasSubstr(part));
}

/// Two points of each curve of fig. 5.
TEST(ReportVerbSlow, TheDemoOfDistillationHasThePapersOrder) {
  const TemporaryFolder folder;
  const std::string study = source_path("recipes/demo/distillation.yaml"), runs = folder / "runs";
  // The teachers with α = 0 and 0.6 at a time, then students of theirs.
  for (const char* only : {"teachers/*[06]-seed-1", "of-*[06]-seed-1", "baselines/alpha-0-seed-1"}) {
    const auto trained = smoothlab({"study", study, "--runs", runs, "--jobs", "2", "--only", only});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  const auto report = smoothlab({"report", runs, "--page", folder / "report.html", "--json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const json subjects = json::parse(report.out);
  ASSERT_EQ(subjects.size(), 2U);
  EXPECT_EQ(holds(subjects[0], "students of a hard-target teacher do better"), "yes") << subjects[0];
  EXPECT_EQ(holds(subjects[0], "students of smoothed teachers do worse"), "yes") << subjects[0];
  EXPECT_NE(holds(subjects[0], "smoothed teachers are the better ones"), "no") << subjects[0];
  EXPECT_THAT(read_text(folder / "report.html"),
              HasSubstr("Distillation (sec. 4): resnet8 teaches, loss paper"));
}

TEST(ReportVerbSlow, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "empty");
  expect_only_error(smoothlab({"report", folder / "empty", "--page", folder / "r.html"}), 3,
                    "there is no run");
  expect_only_error(smoothlab({"report", folder / "none", "--page", folder / "r.html"}), 3, "no such folder");
  expect_only_error(smoothlab({"report"}), 2, "report");
  write_text(folder / "small.yaml", small_recipe());
  ASSERT_EQ(
      smoothlab({"train", folder / "small.yaml", "--run", folder / "run", "--set", "logits.splits=[test]"})
          .exit_code,
      0);
  const auto taken = [&](const std::string& page) {
    return smoothlab({"report", folder / "run", "--page", page});
  };
  write_text(folder / "mine.html", "mine");
  expect_only_error(taken(folder / "mine.html"), 2, "mine.html");
  EXPECT_EQ(read_text(folder / "mine.html"), "mine");
  EXPECT_EQ(
      smoothlab({"report", folder / "run", "--page", folder / "r.html", "--classes", "disc,ring,squares"})
          .exit_code,
      2);
  // A damaged logit file costs the report no more than that file.
  write_text(folder / "run/logits/test.h5", "no HDF5");
  const auto damaged = taken(folder / "r.html");
  EXPECT_EQ(damaged.exit_code, 0) << damaged.err;
  EXPECT_THAT(read_text(folder / "r.html"), HasSubstr("test.h5 is left out"));
}

}  // namespace
}  // namespace smoothlab::test
