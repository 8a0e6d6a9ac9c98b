#include "launcher/report_gathering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/recipe.h"
#include "trainer/run_summary.h"
#include "trainer/teacher_record.h"

namespace smoothlab::launcher {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ReportGathering : public testing::Test {
 protected:
  void ended_run(const std::string& name, const std::string& more = "") const {
    const auto recipe = trainer::parse_recipe(std::string(test::small_recipe()) + more, "r.yaml", {});
    test::write_text(folder / (name + "/recipe.yaml"), trainer::resolved_recipe(recipe));
    test::write_text(folder / (name + "/metrics.jsonl"), "");
    trainer::RunSummary summary;
    summary.step = 12;
    summary.evaluation.emplace();
    summary.evaluation->split = "test";
    summary.evaluation->accuracy = 0.75;
    trainer::write_summary(*files, folder / name, summary);
  }
  std::vector<eval::ReportRun> gathered() const { return gather_runs({folder.path()}, {}); }

  test::TemporaryFolder folder;
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST_F(ReportGathering, AStudentFindsItsTeacherByPathAndByWeights) {
  ended_run("a-teacher");
  ended_run("b-teacher");
  trainer::CheckpointManifest manifest;
  manifest.step = 12;
  manifest.files["weights.safetensors"] = {100, 77};
  test::write_text(folder / "b-teacher/checkpoints/step-12/manifest.json", trainer::to_json(manifest));
  const std::string taught = "teacher: {loss: paper, run: x, beta: 0.5}\n";
  trainer::TeacherRecord record;
  for (const char* student : {"c-by-path", "d-by-weights", "e-of-nobody"}) ended_run(student, taught);
  record.teacher = folder / "a-teacher/checkpoints/step-12";
  trainer::write_teacher(*files, folder / "c-by-path", record);
  record.teacher = "runs/as/it/was/called/elsewhere";
  record.crc32 = 77;
  trainer::write_teacher(*files, folder / "d-by-weights", record);
  record.crc32 = 78;
  trainer::write_teacher(*files, folder / "e-of-nobody", record);
  const auto runs = gathered();
  ASSERT_THAT(runs, SizeIs(5));
  EXPECT_EQ(runs[2].taught->by, &runs[0]);
  EXPECT_EQ(runs[3].taught->by, &runs[1]);
  EXPECT_EQ(runs[4].taught->by, nullptr);
  EXPECT_FALSE(runs[0].taught);
}

TEST_F(ReportGathering, ARunWithoutItsCurvesKeepsItsEnd) {
  ended_run("run");
  test::write_text(folder / "run/metrics.jsonl", "no JSON\n{}\n");
  const auto runs = gathered();
  ASSERT_THAT(runs, SizeIs(1));
  ASSERT_THAT(runs[0].evaluations, SizeIs(1));
  EXPECT_EQ(runs[0].evaluations[0].accuracy, 0.75);
  ASSERT_THAT(runs[0].problems, SizeIs(1));
  EXPECT_THAT(runs[0].problems[0], HasSubstr("its curves are left out"));
}

TEST_F(ReportGathering, ARunThatHasChosenIsJudgedByItsBest) {
  ended_run("run");
  std::string lines;
  for (const int step : {4, 8, 12})
    lines += "{\"step\": " + std::to_string(step) +
             ", \"split\": \"validation\", \"rows\": 9, \"accuracy\": 0." + std::to_string(step) +
             ", \"top5_accuracy\": 1, \"nll\": " + std::to_string(step) +
             ", \"brier\": 1, \"ece\": 0, \"seconds\": 1}\n";
  test::write_text(folder / "run/metrics.jsonl", lines);
  EXPECT_EQ(gathered()[0].judged_by()->step, 12);
  auto summary = trainer::read_summary(*files, folder / "run");
  summary->best = trainer::RunSummary::Best{"accuracy", 8};
  summary->evaluation->step = 8;
  trainer::write_summary(*files, folder / "run", *summary);
  const auto runs = gathered();
  EXPECT_THAT(runs[0].evaluations, SizeIs(3));
  EXPECT_EQ(runs[0].judged_by()->step, 8);
  EXPECT_EQ(runs[0].judged_by()->nll, 8);
  EXPECT_EQ(runs[0].end->step, 12);
  EXPECT_EQ(runs[0].end->standing_step(), 8);
  // Without its line there is still what the summary says.
  test::write_text(folder / "run/metrics.jsonl", lines.substr(lines.rfind("{\"step\": 12")));
  const auto without = gathered();
  ASSERT_THAT(without[0].evaluations, SizeIs(2));
  EXPECT_EQ(without[0].evaluations[0].step, 8) << "in the order of steps";
  EXPECT_EQ(without[0].judged_by()->accuracy, 0.75);
}

TEST_F(ReportGathering, ARunThatCannotBeReadCostsNoOther) {
  ended_run("good");
  ended_run("bad");
  test::write_text(folder / "bad/recipe.yaml", "task: {\n");
  const auto runs = gathered();
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_TRUE(runs[0].unreadable);
  EXPECT_FALSE(runs[1].unreadable);
  std::filesystem::remove_all(folder / "good");
  EXPECT_THROW(gathered(), DataError) << "with no run left there is no report";
}

}  // namespace
}  // namespace smoothlab::launcher
