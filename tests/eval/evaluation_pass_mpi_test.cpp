#include "eval/evaluation_pass.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "data/task.h"
#include "support/ranks.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using test::ranks;

/// What a logit file holds, in the order of its samples.
struct Stored {
  std::vector<int64_t> ids, labels;
  std::vector<float> logits, penultimate;
};

Stored read(const std::string& path) {
  const LogitFile file(path);
  Stored stored;
  const auto n = static_cast<size_t>(file.rows());
  stored.ids.resize(n);
  stored.labels.resize(n);
  stored.logits.resize(n * static_cast<size_t>(file.classes()));
  stored.penultimate.resize(n * static_cast<size_t>(file.penultimate()));
  file.read_sample_ids(0, file.rows(), stored.ids.data());
  file.read_labels(0, file.rows(), stored.labels.data());
  file.read_logits(0, file.rows(), stored.logits.data());
  file.read_penultimate(0, file.rows(), stored.penultimate.data());
  return stored;
}

/// Evaluates on all ranks, and on rank 0 alone: the files hold the same bits and the sums agree.
void expect_same_as_alone(int64_t images, int64_t batch) {
  data::TaskOptions task;
  task.data = "generated";
  task.train_samples = 40;
  task.test_samples = images;
  const auto dataset = data::open_task(task, 1).test;
  models::NetworkOptions how;
  how.name = "resnet8";
  const auto network = models::make_network(how);
  const cluster::Placement placement;
  at::set_num_threads(1);
  cluster::Log log(ranks().rank(), true);

  std::unique_ptr<test::TemporaryFolder> folder;
  if (ranks().is_root()) folder = std::make_unique<test::TemporaryFolder>();
  const std::string root = ranks().broadcast_text(folder ? folder->path() : "", 0);
  EvaluationOptions options;
  options.batch = batch;
  options.logits = root + "/together.h5";
  const CalibrationSums together = evaluate(*network, dataset, ranks(), placement, options, log);

  // Every rank has the same sums.
  at::Tensor packed = at::tensor(together.pack(), at::kDouble), most = packed.clone();
  ranks().allreduce(most, cluster::Reduction::max);
  EXPECT_TRUE(packed.equal(most));
  EXPECT_EQ(together.rows, static_cast<double>(images));

  if (ranks().is_root()) {
    const auto solo = cluster::make_solo_communicator();
    options.logits = root + "/alone.h5";
    const CalibrationSums alone = evaluate(*network, dataset, *solo, placement, options, log);
    EXPECT_EQ(together.correct, alone.correct);
    EXPECT_NEAR(together.mean_nll(), alone.mean_nll(), 1e-12);
    EXPECT_NEAR(together.mean_brier(), alone.mean_brier(), 1e-12);
    EXPECT_NEAR(together.ece(), alone.ece(), 1e-12);
    const Stored a = read(root + "/together.h5"), b = read(root + "/alone.h5");
    EXPECT_EQ(LogitFile(root + "/together.h5").attribute("ranks"), std::to_string(ranks().size()));
    EXPECT_EQ(static_cast<int64_t>(a.ids.size()), images);
    EXPECT_EQ(a.ids, b.ids);
    EXPECT_EQ(a.labels, b.labels);
    EXPECT_EQ(a.logits, b.logits);
    EXPECT_EQ(a.penultimate, b.penultimate);
    std::vector<int64_t> sorted = a.ids;
    std::sort(sorted.begin(), sorted.end());
    for (int64_t i = 0; i < images; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  }
  ranks().barrier();
}

TEST(EvaluationPassMpi, CountsEverySampleOnceWhereRanksDoNotDivideThem) {
  expect_same_as_alone(101, 16);
}

TEST(EvaluationPassMpi, LeavesRanksIdleWhereThereAreFewBatches) {
  expect_same_as_alone(20, 16);
}

// A summary's rows are, bit for bit, those of one rank too.
TEST(EvaluationPassMpi, SummarisesTheSameAtAnyNumberOfRanks) {
  data::TaskOptions task;
  task.data = "generated";
  task.train_samples = 40;
  task.test_samples = 101;
  const auto dataset = data::open_task(task, 1).test;
  models::NetworkOptions how;
  how.name = "resnet8";
  const auto network = models::make_network(how);
  at::set_num_threads(1);
  cluster::Log log(ranks().rank(), true);
  std::unique_ptr<test::TemporaryFolder> folder;
  if (ranks().is_root()) folder = std::make_unique<test::TemporaryFolder>();
  const std::string root = ranks().broadcast_text(folder ? folder->path() : "", 0);
  EvaluationOptions options;
  options.batch = 16;
  options.summary = true;
  options.logits = root + "/together.h5";
  evaluate(*network, dataset, ranks(), {}, options, log);
  if (ranks().is_root()) {
    options.logits = root + "/alone.h5";
    evaluate(*network, dataset, *cluster::make_solo_communicator(), {}, options, log);
    SummaryRows rows[2];
    for (const int which : {0, 1}) {
      const LogitFile file(root + (which == 0 ? "/together.h5" : "/alone.h5"), Incomplete::refuse,
                           Compact::refuse, Summary::accept);
      ASSERT_EQ(file.rows(), 101);
      EXPECT_FALSE(file.has("penultimate") || file.has("classifier"));
      file.read_summary(0, 101, rows[which]);
    }
    EXPECT_EQ(rows[0].log_sum_exp, rows[1].log_sum_exp);
    EXPECT_EQ(rows[0].label_logits, rows[1].label_logits);
    EXPECT_EQ(rows[0].top_logits, rows[1].top_logits);
    EXPECT_EQ(rows[0].top_classes, rows[1].top_classes);
  }
  ranks().barrier();
}

}  // namespace
}  // namespace smoothlab::eval
