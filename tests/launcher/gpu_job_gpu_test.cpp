#include "cluster/device.h"
#include "launcher/background_program.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;

class GpuJobGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
    write_text(folder_ / "r.yaml",
               small_recipe_with({{"device: cpu", "device: cuda"}, {"steps: 12", "steps: 200000"}}));
  }
  std::string run() const { return folder_ / "run"; }
  std::vector<std::string> train(const std::vector<std::string>& more) const {
    return joined({"train", folder_ / "r.yaml", "--run", run()}, more);
  }
  bool has_checkpoint() const {
    std::error_code none;
    const std::filesystem::directory_iterator checkpoints(run() + "/checkpoints", none);
    return !none && checkpoints != std::filesystem::directory_iterator{};
  }
  TemporaryFolder folder_;
};

TEST_F(GpuJobGpu, APeerThatDiesEndsTheJobInBoundedTime) {
  BackgroundProgram training(train({"--ranks", "2", "--share-gpu"}));
  ASSERT_TRUE(eventually([&] { return has_checkpoint(); }));
  const auto processes = program_processes(run(), training.pid());
  ASSERT_EQ(processes.size(), 2U);
  const auto start = std::chrono::steady_clock::now();
  kill(*processes.rbegin(), SIGKILL);
  const auto result = training.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  expect_error(result, 1, "a rank was ended by signal 9");
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
}

TEST_F(GpuJobGpu, APeerThatStandsStillIsNamed) {
  BackgroundProgram training(train({"--ranks", "2", "--share-gpu", "--stall-limit", "5"}));
  ASSERT_TRUE(eventually([&] { return has_checkpoint(); }));
  const auto processes = program_processes(run(), training.pid());
  ASSERT_EQ(processes.size(), 2U);
  kill(*processes.rbegin(), SIGSTOP);
  const auto result = training.wait();
  expect_error(result, 4, "rank ");
  EXPECT_TRUE(eventually([&] { return program_processes(run(), -1).empty(); })) << "a rank is left behind";
}

TEST_F(GpuJobGpu, MoreRanksThanDevicesIsAnError) {
  const int ranks = cluster::cuda_devices() + 1;
  const auto result = smoothlab(train({"--ranks", std::to_string(ranks)}));
  expect_only_error(result, 4, "more ranks on a node than CUDA devices");
  EXPECT_THAT(result.err, HasSubstr("--share-gpu"));
}

TEST_F(GpuJobGpu, LackOfMemoryIsOneLine) {
  const auto result = smoothlab(train({"--set", "model.hidden=[400000, 400000]", "--set", "train.steps=1"}));
  expect_error(result, 4, "out of memory");
}

TEST_F(GpuJobGpu, SeveralRunsTrainSideBySide) {
  const auto result = smoothlab(train(
      {"--each", "train.seed=1,2,3", "--set", "train.steps=40", "--set", "checkpoint.every=0", "--json"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* seed : {"seed-1", "seed-2", "seed-3"}) {
    EXPECT_THAT(result.out, HasSubstr(seed));
    EXPECT_TRUE(std::filesystem::exists(run() + "/" + seed + "/checkpoints/step-40"));
  }
}

}  // namespace
}  // namespace smoothlab::test
