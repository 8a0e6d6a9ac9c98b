#include "trainer/metrics_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::trainer {
namespace {

TrainingMetrics training_at(int64_t step) {
  TrainingMetrics metrics;
  metrics.step = step;
  metrics.loss = 1.0 / 3.0;
  metrics.lr = 0.1;
  return metrics;
}

class MetricsLogFile : public testing::Test {
 protected:
  std::vector<int64_t> steps() const {
    std::vector<int64_t> result;
    std::istringstream lines(files->read(path));
    for (std::string line; std::getline(lines, line);)
      result.push_back(nlohmann::json::parse(line)["step"].get<int64_t>());
    return result;
  }
  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::string path = folder / "metrics.jsonl";
};

TEST_F(MetricsLogFile, KeepsEveryBitOfADouble) {
  {
    MetricsLog log(*files, path);
    log.write(training_at(7));
    EvaluationMetrics evaluation;
    evaluation.step = 7;
    evaluation.split = "validation";
    evaluation.rows = 10;
    evaluation.ece = 0.1 + 0.2;
    evaluation.nll = std::numeric_limits<double>::infinity();
    log.write(evaluation);
    log.sync();
  }
  std::istringstream lines(files->read(path));
  std::string line;
  std::getline(lines, line);
  auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["loss"].get<double>(), 1.0 / 3.0);
  EXPECT_EQ(json["lr"].get<double>(), 0.1);
  for (const char* key : {"step", "epoch", "accuracy", "grad_norm", "seconds", "samples_per_second"})
    EXPECT_TRUE(json.contains(key)) << key;
  std::getline(lines, line);
  json = nlohmann::json::parse(line);
  EXPECT_EQ(json["ece"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["split"], "validation");
  EXPECT_TRUE(json["nll"].is_null());
}

TEST_F(MetricsLogFile, IsReadAsItWasWritten) {
  EXPECT_TRUE(read_metrics(*files, path).training.empty());
  TrainingMetrics line = training_at(7);
  line.host_seconds = 0.25;
  EvaluationMetrics evaluation;
  evaluation.step = 7;
  evaluation.split = "validation";
  evaluation.rows = 10;
  evaluation.ece = 0.1 + 0.2;
  evaluation.nll = std::numeric_limits<double>::infinity();
  MetricsLog log(*files, path);
  log.write(training_at(5));
  log.write(line);
  log.write(evaluation);
  files->append(path)->write("{\"step\": 8", 10);
  const RunMetrics read = read_metrics(*files, path);
  ASSERT_EQ(read.training.size(), 2U);
  EXPECT_FALSE(read.training[0].host_seconds);
  EXPECT_EQ(read.training[1].step, 7);
  EXPECT_EQ(read.training[1].loss, 1.0 / 3.0);
  EXPECT_EQ(read.training[1].host_seconds, 0.25);
  ASSERT_EQ(read.evaluations.size(), 1U);
  EXPECT_EQ(read.evaluations[0].ece, 0.1 + 0.2);
  EXPECT_EQ(read.evaluations[0].split, "validation");
  EXPECT_TRUE(std::isnan(read.evaluations[0].nll));
}

TEST_F(MetricsLogFile, IsCutAfterAStep) {
  {
    MetricsLog log(*files, path);
    for (const int64_t step : {2, 4, 4, 6}) log.write(training_at(step));
  }
  truncate_metrics(*files, path, 4);
  EXPECT_EQ(steps(), (std::vector<int64_t>{2, 4, 4}));
  truncate_metrics(*files, path, 5);
  EXPECT_EQ(steps(), (std::vector<int64_t>{2, 4, 4}));
  MetricsLog(*files, path).write(training_at(8));
  EXPECT_EQ(steps(), (std::vector<int64_t>{2, 4, 4, 8}));
  truncate_metrics(*files, path, 0);
  EXPECT_EQ(files->size(path), 0U);
}

TEST_F(MetricsLogFile, LosesALineThatWasTorn) {
  {
    MetricsLog log(*files, path);
    log.write(training_at(2));
    log.write(training_at(4));
  }
  files->truncate(path, files->size(path) - 5);
  truncate_metrics(*files, path, 100);
  EXPECT_EQ(steps(), (std::vector<int64_t>{2}));
}

TEST_F(MetricsLogFile, NamesALineThatIsNoMetric) {
  cluster::write_file_whole(*files, path, "{\"step\": 1}\nnonsense\n{\"step\": 3}\n");
  try {
    truncate_metrics(*files, path, 3);
    FAIL() << "nonsense was taken";
  } catch (const DataError& error) {
    EXPECT_NE(error.where().find("line 2"), std::string::npos) << error.what();
  }
}

TEST_F(MetricsLogFile, MayBeMissing) {
  EXPECT_NO_THROW(truncate_metrics(*files, path, 3));
}

TEST(MetricsLog, CutsOffAnEvaluationThatIsPending) {
  const test::TemporaryFolder folder;
  const auto files = cluster::local_file_system();
  const std::string path = folder / "metrics.jsonl";
  const std::string before = "{\"step\": 4, \"split\": \"test\"}\n{\"step\": 5, \"loss\": 1}\n";
  const std::string evaluated = before + "{\"step\": 5, \"split\": \"test\"}\n";
  for (const bool pending : {false, true}) {
    cluster::write_file_whole(*files, path, evaluated + "{\"step\": 6, \"loss\": 1}\n");
    truncate_metrics(*files, path, 5, pending);
    EXPECT_EQ(files->read(path), pending ? before : evaluated);
  }
}

}  // namespace
}  // namespace smoothlab::trainer
