// Signals and sudden deaths of a whole job, through the program itself.
#include <nlohmann/json.hpp>

#include "launcher/background_program.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class InterruptionSlow : public testing::Test {
 protected:
  /// Some minutes of training, with a checkpoint every few milliseconds of it.
  InterruptionSlow() {
    write_text(folder / "long.yaml", small_recipe_with({{"steps: 12", "steps: 1000000"},
                                                        {"every: 6", "every: 1000000"},
                                                        {"every: 4", "every: 50"}}));
    // Its training split takes long to evaluate.
    write_text(folder / "short.yaml",
               small_recipe_with({{"train_samples: 96", "train_samples: 60000"}, {"steps: 12", "steps: 1"}}));
  }
  std::vector<std::string> command() const {
    return {"train",   folder / "long.yaml",  "--run",     run(),
            "--ranks", std::to_string(ranks), "--threads", "1"};
  }
  std::string run() const { return folder / "run"; }
  /// Steps of whole checkpoints.
  std::vector<int64_t> checkpoints() const {
    std::vector<int64_t> steps;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(run() + "/checkpoints", none))
      if (entry.path().filename().string().rfind("step-", 0) == 0)
        steps.push_back(std::stoll(entry.path().filename().string().substr(5)));
    std::sort(steps.begin(), steps.end());
    return steps;
  }
  bool wait_for_checkpoint() const {
    return eventually([this] { return !checkpoints().empty(); });
  }
  TemporaryFolder folder;
  int ranks = 2;
};

class InterruptionSlowOnRanks : public InterruptionSlow, public testing::WithParamInterface<int> {
 protected:
  InterruptionSlowOnRanks() { ranks = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(, InterruptionSlowOnRanks, testing::Values(1, 2));

TEST_P(InterruptionSlowOnRanks, ARequestToStopIsACheckpointAnd75HoweverOftenItIsDelivered) {
  BackgroundProgram training(joined(command(), {"--json"}));
  ASSERT_TRUE(wait_for_checkpoint());
  for (const int number : {SIGUSR2, SIGTERM, SIGTERM, SIGUSR2}) training.signal(number);
  // What scancel --full does beside that: the ranks hear it too.
  for (const pid_t rank : program_processes(run(), training.pid())) kill(rank, SIGTERM);
  const auto result = training.wait();
  EXPECT_EQ(result.exit_code, 75) << result.err;
  const json outcome = json::parse(result.out);
  EXPECT_EQ(outcome["outcome"], "stopped");
  EXPECT_TRUE(outcome["evaluation"].is_null());
  ASSERT_FALSE(checkpoints().empty());
  EXPECT_EQ(checkpoints().back(), outcome["step"]);
}

TEST_P(InterruptionSlowOnRanks, AnInterruptIsACheckpointAnd0AndTheRunGoesOn) {
  int64_t stopped_at = 0;
  {
    BackgroundProgram training(joined(command(), {"--json"}));
    ASSERT_TRUE(wait_for_checkpoint());
    training.signal(SIGINT);
    const auto result = training.wait();
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(json::parse(result.out)["outcome"], "stopped");
    stopped_at = json::parse(result.out)["step"];
  }
  BackgroundProgram resumed(joined(command(), {"--resume", "--json"}));
  ASSERT_TRUE(eventually([&] { return checkpoints().back() > stopped_at; }));
  resumed.signal(SIGINT);
  const auto result = resumed.wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("resumed after step " + std::to_string(stopped_at)));
}

TEST_F(InterruptionSlow, AKilledRankEndsTheJobWithOneLineAndLosesNoCheckpoint) {
  BackgroundProgram training(command());
  ASSERT_TRUE(wait_for_checkpoint());
  const auto processes = program_processes(run(), training.pid());
  ASSERT_EQ(processes.size(), 2U);
  const auto start = std::chrono::steady_clock::now();
  kill(*processes.rbegin(), SIGKILL);
  const auto result = training.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  expect_error(result, 1, "a rank was ended by signal 9");
  EXPECT_THAT(result.err, HasSubstr("--ranks 2 --threads 1 --resume"));
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
  const int64_t kept = checkpoints().back();

  BackgroundProgram resumed(joined(command(), {"--resume"}));
  ASSERT_TRUE(eventually([&] { return checkpoints().back() > kept; }));
  resumed.signal(SIGTERM);
  EXPECT_EQ(resumed.wait().exit_code, 75);
}

// Two processes in one folder used to mix their checkpoints, and to call each other's damaged.
TEST_F(InterruptionSlow, ALiveRunIsLeftAlone) {
  BackgroundProgram training(command());
  ASSERT_TRUE(wait_for_checkpoint());
  for (const std::vector<std::string>& how : {std::vector<std::string>{}, {"--resume"}})
    expect_error(smoothlab(joined(command(), how)), 4, "in use by process ");
  const int64_t before = checkpoints().back();
  EXPECT_TRUE(eventually([&] { return checkpoints().back() > before; })) << "the live run was disturbed";
  training.signal(SIGTERM);
  EXPECT_EQ(training.wait().exit_code, 75);
}

// mpirun forgets what it is told before it has started the ranks, and the launcher told it once: such a run
// trained to its end.
TEST_F(InterruptionSlow, ARequestIsHeardHoweverEarlyItComes) {
  for (const int milliseconds : {0, 300, 600, 1200}) {
    std::filesystem::remove_all(run());
    BackgroundProgram training(command());
    // From the moment on when the launcher listens.
    ASSERT_TRUE(eventually([&] {
      const std::string status = read_text("/proc/" + std::to_string(training.pid()) + "/status");
      const size_t caught = status.find("SigCgt:");
      return caught != std::string::npos &&
             (std::stoull(status.substr(caught + 7), nullptr, 16) >> (SIGUSR2 - 1) & 1) != 0;
    }));
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    training.signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    training.signal(SIGTERM);
    const auto result = training.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("stopped ")) << milliseconds;
  }
}

TEST_F(InterruptionSlow, AnEvaluationThatIsInterruptedFails) {
  ASSERT_EQ(smoothlab({"train", folder / "short.yaml", "--run", run()}).exit_code, 0);
  BackgroundProgram evaluation({"evaluate", "--run", run(), "--ranks", "2", "--split", "train"});
  ASSERT_TRUE(eventually([&] { return program_processes(run(), evaluation.pid()).size() == 2; }));
  evaluation.signal(SIGTERM);
  expect_error(evaluation.wait(), 1, "ended by signal 15");
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
  EXPECT_FALSE(std::filesystem::exists(run() + "/logits/train.h5"));
}

TEST_F(InterruptionSlow, ARankThatStandsStillIsNamedAndEndsTheJob) {
  BackgroundProgram training(joined(command(), {"--stall-limit", "4"}));
  ASSERT_TRUE(wait_for_checkpoint());
  const auto processes = program_processes(run(), training.pid());
  ASSERT_EQ(processes.size(), 2U);
  // The last to start is rank 1.
  kill(*processes.rbegin(), SIGSTOP);
  const auto result = training.wait();
  expect_error(result, 1, "in which others have waited");
  EXPECT_THAT(result.err, HasSubstr("(rank 1 on "));
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
}

// `train 2>&1 | head` used to kill the run without a checkpoint.
TEST_F(InterruptionSlow, ARunOutlivesWhoeverReadsWhatItSays) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ::signal(SIGPIPE, SIG_DFL);
  const pid_t training = fork();
  if (training == 0) {
    dup2(ends[1], STDERR_FILENO);
    const std::string recipe = folder / "long.yaml", where = run();
    execl(program().c_str(), program().c_str(), "train", recipe.c_str(), "--run", where.c_str(), nullptr);
    _exit(126);
  }
  close(ends[0]);
  close(ends[1]);
  EXPECT_TRUE(wait_for_checkpoint());
  const int64_t before = checkpoints().empty() ? 0 : checkpoints().back();
  EXPECT_TRUE(eventually([&] { return !checkpoints().empty() && checkpoints().back() > before; }));
  kill(training, SIGTERM);
  int status = 0;
  waitpid(training, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 75);
}

TEST_F(InterruptionSlow, ASecondInterruptEndsTheJobAtOnce) {
  BackgroundProgram training(command());
  ASSERT_TRUE(wait_for_checkpoint());
  // Ranks that stand still, so that the first request cannot be heard.
  const auto processes = program_processes(run(), training.pid());
  ASSERT_EQ(processes.size(), 2U);
  for (const pid_t rank : processes) kill(rank, SIGSTOP);
  training.signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  training.signal(SIGINT);
  const auto result = training.wait();
  expect_error(result, 1, "ended at once by a second signal 2");
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
}

}  // namespace
}  // namespace smoothlab::test
