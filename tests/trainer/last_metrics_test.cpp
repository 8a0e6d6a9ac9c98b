#include "trainer/last_metrics.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace smoothlab::trainer {
namespace {

class LastMetricsTest : public testing::Test {
 protected:
  LastMetrics last(const std::string& text) {
    cluster::write_file_whole(*files, folder / "metrics.jsonl", text);
    return last_metrics(*files, folder / "metrics.jsonl");
  }
  std::string written() {
    MetricsLog log(*files, folder / "log.jsonl");
    TrainingMetrics training;
    EvaluationMetrics evaluation;
    evaluation.split = "test";
    for (int step = 1; step <= 3; ++step) {
      training.step = evaluation.step = step;
      training.seconds = 10.0 * step;
      training.samples_per_second = 100.0 * step;
      evaluation.accuracy = 0.25 * step;
      log.write(training);
      if (step < 3) log.write(evaluation);
    }
    return files->read(folder / "log.jsonl");
  }
  test::TemporaryFolder folder;
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST_F(LastMetricsTest, AreTheLastOfEachKind) {
  const auto metrics = last(written());
  EXPECT_EQ(metrics.step, 3);
  EXPECT_EQ(metrics.seconds, 30);
  EXPECT_EQ(metrics.samples_per_second, 300);
  ASSERT_TRUE(metrics.evaluation);
  EXPECT_EQ(metrics.evaluation->step, 2);
  EXPECT_EQ(metrics.evaluation->accuracy, 0.5);
}

TEST_F(LastMetricsTest, PassOverWhatIsNotFinished) {
  std::string text = written();
  text.resize(text.size() - 5);
  EXPECT_EQ(last(text).step, 2);
  EXPECT_EQ(last("what\n{\"step\": 1}\n").step, 0);
  EXPECT_EQ(last("").step, 0);
  EXPECT_EQ(last_metrics(*files, folder / "none").step, 0);
}

}  // namespace
}  // namespace smoothlab::trainer
