#include "cluster/device.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <torch/cuda.h>

#include <thread>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::cluster {
namespace {

class DeviceQuota : public testing::Test {
 protected:
  void set(const std::string& file, const std::string& text) {
    const auto files = local_file_system();
    files->make_folders((folder / file).substr(0, (folder / file).find_last_of('/')));
    write_file_whole(*files, folder / file, text);
  }
  test::TemporaryFolder folder;
};

TEST_F(DeviceQuota, SecondVersionTakesTheLeastOfAllEnclosingGroups) {
  EXPECT_EQ(quota_cores("0::/job/step\n", folder.path(), 16), 16);
  set("job/step/cpu.max", "max 100000\n");
  EXPECT_EQ(quota_cores("0::/job/step\n", folder.path(), 16), 16);
  set("job/cpu.max", "350000 100000\n");
  EXPECT_EQ(quota_cores("0::/job/step\n", folder.path(), 16), 3);
  set("job/step/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota_cores("0::/job/step\n", folder.path(), 16), 1);
}

TEST_F(DeviceQuota, FirstVersion) {
  const std::string groups = "5:memory:/a\n4:cpu,cpuacct:/a/b\n3:cpuset:/a\n";
  set("cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  set("cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota_cores(groups, folder.path(), 8), 8);
  set("cpu,cpuacct/a/b/cpu.cfs_quota_us", "200000\n");
  EXPECT_EQ(quota_cores(groups, folder.path(), 8), 2);
}

TEST_F(DeviceQuota, GroupsOutsideAContainerAreSoughtAtItsRoot) {
  set("cpu.max", "200000 100000\n");
  EXPECT_EQ(quota_cores("0::/not/seen/here\n", folder.path(), 8), 2);
  EXPECT_EQ(quota_cores("", folder.path(), 8), 8);
  EXPECT_EQ(quota_cores("nonsense", folder.path(), 8), 8);
}

TEST(Device, CoresAreThoseOfTheAffinityMask) {
  EXPECT_GE(available_cores(), 1);
  std::thread([] {  // a mask belongs to a thread
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof mask, &mask), 0);
    EXPECT_EQ(available_cores(), 1);
  })
      .join();
}

TEST(Device, ASoloRunTakesAllCores) {
  unsetenv("OMP_NUM_THREADS");
  const auto solo = make_solo_communicator();
  const Placement placement = place_rank(*solo, "cpu");
  EXPECT_TRUE(placement.device.is_cpu());
  EXPECT_EQ(placement.threads, available_cores());
  EXPECT_THROW(place_rank(*solo, "gpu"), UsageError);
  if (torch::cuda::device_count() == 0) {
    EXPECT_TRUE(place_rank(*solo, "auto").device.is_cpu());
    EXPECT_THROW(place_rank(*solo, "cuda"), EnvironmentError);
  } else {
    EXPECT_TRUE(place_rank(*solo, "auto").device.is_cuda());
  }
}

TEST(Device, RanksOfANodeTakeItsDevicesInTurn) {
  const DeviceView a{"a", "", 2}, b{"b", "", 2};
  const std::vector<DeviceView> two_nodes = {a, a, b, b};
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(device_of_rank(two_nodes, rank), rank % 2);
  EXPECT_EQ(device_of_rank({a, a, a}, 2), -1) << "two devices for three ranks";
  EXPECT_EQ(device_of_rank({a, a, a}, 0), -1);
  // As Slurm shows each task its own.
  const std::vector<DeviceView> bound = {{"a", "0", 1}, {"a", "1", 1}, {"a", "2,3", 2}, {"a", "2,3", 2}};
  EXPECT_EQ(device_of_rank(bound, 0), 0);
  EXPECT_EQ(device_of_rank(bound, 1), 0);
  EXPECT_EQ(device_of_rank(bound, 3), 1);
  EXPECT_EQ(device_of_rank({{"a", "", 0}}, 0), -1);
}

TEST(Device, ThreadsAreThoseAskedForElseThoseOfTheEnvironment) {
  EXPECT_EQ(wanted_threads(nullptr), 0);
  EXPECT_EQ(wanted_threads(""), 0);
  EXPECT_EQ(wanted_threads("3"), 3);
  EXPECT_EQ(wanted_threads("4,2"), 4);
  for (const char* bad : {"many", "0", "-1", "2x", "1000000", ","})
    EXPECT_THROW(wanted_threads(bad), EnvironmentError) << bad;

  const auto solo = make_solo_communicator();
  EXPECT_EQ(place_rank(*solo, "cpu", 7).threads, 7);
  const char* before = std::getenv("OMP_NUM_THREADS");
  const std::string kept = before ? before : "";
  setenv("OMP_NUM_THREADS", "5", 1);
  EXPECT_EQ(place_rank(*solo, "cpu").threads, 5);
  EXPECT_EQ(place_rank(*solo, "cpu", 7).threads, 7);
  if (before)
    setenv("OMP_NUM_THREADS", kept.c_str(), 1);
  else
    unsetenv("OMP_NUM_THREADS");
}

// Several ranks on a machine with CUDA used to compute there and then fail in their first collective.
TEST(Device, RanksThatCannotExchangeCudaTensorsStayOnTheCpu) {
  EXPECT_FALSE(takes_cuda("auto", true, false, "mpi", "rank 1"));
  EXPECT_TRUE(takes_cuda("auto", true, true, "solo", "rank 0"));
  EXPECT_FALSE(takes_cuda("auto", false, true, "solo", "rank 0"));
  EXPECT_FALSE(takes_cuda("cpu", true, true, "solo", "rank 0"));
  EXPECT_TRUE(takes_cuda("cuda", true, true, "solo", "rank 0"));
  EXPECT_THROW(takes_cuda("cuda", true, false, "mpi", "rank 1"), EnvironmentError);
  EXPECT_THROW(takes_cuda("cuda", false, true, "solo", "rank 0"), EnvironmentError);
  EXPECT_TRUE(make_solo_communicator()->carries(c10::DeviceType::CUDA));
}

TEST(Device, ApplySetsTheThreadsOfATen) {
  const int before = at::get_num_threads();
  Placement placement;
  placement.threads = before == 1 ? 2 : 1;
  apply(placement);
  EXPECT_EQ(at::get_num_threads(), placement.threads);
  placement.threads = before;
  apply(placement);
}

}  // namespace
}  // namespace smoothlab::cluster
