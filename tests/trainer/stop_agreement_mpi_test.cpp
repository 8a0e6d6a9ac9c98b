#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "models/safetensors.h"
#include "support/ranks.h"
#include "support/temporary_folder.h"
#include "trainer/rank_agreement.h"
#include "trainer/small_run.h"
#include "trainer/stop_agreement.h"
#include "trainer/training_run.h"

namespace smoothlab::trainer {
namespace {

class StopAgreementMpi : public testing::Test {
 protected:
  StopAgreementMpi() {
    use_one_core();
    path = text_from_root(ranks, [this] { return folder.path(); });
  }
  bool is_last() const { return ranks.rank() == ranks.size() - 1; }

  cluster::Communicator& ranks = test::ranks();
  const test::TemporaryFolder folder;
  std::string path;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

// The last rank alone is asked, at each of many boundaries in turn: all ranks hear of it at one boundary, at
// most most_steps later.
TEST_F(StopAgreementMpi, ReachesAllRanksAtOneBoundaryWithinItsBound) {
  for (int asked_at = 0; asked_at < 20; ++asked_at) {
    const cluster::StopSignal signal;
    StopAgreement agreement(ranks, signal);
    int heard_at = -1;
    for (int boundary = 0; boundary < 40 && heard_at < 0; ++boundary) {
      if (boundary == asked_at && is_last()) std::raise(SIGUSR2);
      if (agreement.at_boundary(false).request == cluster::StopRequest::requeue) heard_at = boundary;
    }
    EXPECT_GE(heard_at, asked_at);
    EXPECT_LE(heard_at, asked_at + (ranks.size() > 1 ? StopAgreement::most_steps - 1 : 0));
    EXPECT_EQ(ranks.agree_max(heard_at), heard_at);
    EXPECT_EQ(-ranks.agree_max(-heard_at), heard_at);
  }
}

// Where steps take more than 25 ms, at the very next boundary.
TEST_F(StopAgreementMpi, IsHeardAtOnceWhereStepsAreLong) {
  const cluster::StopSignal signal;
  StopAgreement agreement(ranks, signal);
  for (int boundary = 0; boundary < 8; ++boundary) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    if (boundary == 7 && is_last()) std::raise(SIGINT);
    EXPECT_EQ(agreement.at_boundary(false).request,
              boundary == 7 ? cluster::StopRequest::finish : cluster::StopRequest::none);
  }
}

TEST_F(StopAgreementMpi, TellsOfTroubleOnOneRank) {
  const cluster::StopSignal signal;
  StopAgreement agreement(ranks, signal);
  EXPECT_FALSE(agreement.ask(false).trouble);
  EXPECT_TRUE(agreement.ask(is_last()).trouble);
}

/// Trains until the last rank alone is sent a signal after so long.
int64_t stop_after(std::chrono::milliseconds delay, const Recipe& recipe, const std::string& folder,
                   bool resume, cluster::Communicator& ranks, cluster::FileSystem& files) {
  cluster::Log log(ranks.rank(), true);
  RunOptions options;
  options.folder = folder;
  options.resume = resume;
  options.quiet = true;
  TrainingRun run(recipe, options, ranks, files, log);
  const cluster::StopSignal stop;
  std::thread asker;
  if (ranks.rank() == ranks.size() - 1)
    asker = std::thread([&] {
      std::this_thread::sleep_for(delay);
      kill(getpid(), SIGUSR2);
    });
  const RunOutcome outcome = run.train(stop);
  if (asker.joinable()) asker.join();
  EXPECT_TRUE(outcome == RunOutcome::requeue || run.step() == run.steps());
  // Every rank at the same step.
  EXPECT_EQ(ranks.agree_max(run.step()), run.step());
  EXPECT_EQ(-ranks.agree_max(-run.step()), run.step());
  return run.step();
}

TEST_F(StopAgreementMpi, StopsARunOnAllRanksAtOneStepFromWhichItGoesOnBitwise) {
  Recipe recipe = small_recipe();
  recipe.train.steps = 60;
  recipe.checkpoint.every = 0;
  run_to_end(recipe, path + "/whole", false, ranks, *files);
  int64_t step = 0;
  int stops = 0;
  for (const int delay : {0, 3, 10, 0, 25}) {
    const int64_t before = step;
    if (step < recipe.train.steps)
      step =
          stop_after(std::chrono::milliseconds(delay), recipe, path + "/stopped", stops > 0, ranks, *files);
    EXPECT_GE(step, before);
    if (step < recipe.train.steps) ++stops;
    if (ranks.is_root()) {
      EXPECT_TRUE(files->exists(path + "/stopped/checkpoints/step-" + std::to_string(step)));
    }
  }
  EXPECT_GE(stops, 1);
  run_to_end(recipe, path + "/stopped", true, ranks, *files);
  if (ranks.is_root()) expect_same_runs(path + "/whole", path + "/stopped", 60);
  ranks.barrier();
}

}  // namespace
}  // namespace smoothlab::trainer
