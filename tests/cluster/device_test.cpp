#include "cluster/device.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
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
  const DeviceView a{"a", {"A0", "A1"}, ""}, b{"b", {"B0", "B1"}, ""}, none{"a", {}, "no driver"};
  EXPECT_EQ(devices_of_ranks({a, a, b, b}, false), (std::vector<int>{0, 1, 0, 1}));
  EXPECT_EQ(devices_of_ranks({a, b, a, b}, false), (std::vector<int>{0, 0, 1, 1}));
  EXPECT_EQ(devices_of_ranks({a, a, a}, false), (std::vector<int>{0, 1, -1}))
      << "two devices for three ranks";
  EXPECT_EQ(devices_of_ranks({a, a, a, a, a}, true), (std::vector<int>{0, 1, 0, 1, 0}));
  EXPECT_EQ(devices_of_ranks({none, a}, true), (std::vector<int>{-1, 0}));
}

// Each of Slurm's tasks sees the devices bound to it, and counts them from 0: their numbers are the same.
TEST(Device, WhatARankSeesIsToldApartByIdentityAndNotByNumber) {
  const DeviceView first{"a", {"A0"}, ""}, second{"a", {"A1"}, ""}, both{"a", {"A0", "A1"}, ""};
  EXPECT_EQ(devices_of_ranks({first, second}, false), (std::vector<int>{0, 0}));
  EXPECT_EQ(devices_of_ranks({first, first}, false), (std::vector<int>{0, -1}));
  EXPECT_EQ(devices_of_ranks({both, first}, false), (std::vector<int>{1, 0})) << "who can choose makes room";
  EXPECT_EQ(devices_of_ranks({both, second}, false), (std::vector<int>{0, 0}));
}

TEST(Device, ThreadsAreThoseAskedForElseThoseOfTheEnvironment) {
  EXPECT_EQ(wanted_threads(nullptr), 0);
  EXPECT_EQ(wanted_threads(""), 0);
  EXPECT_EQ(wanted_threads("3"), 3);
  EXPECT_EQ(wanted_threads("4,2"), 4);
  for (const char* bad : {"many", "0", "-1", "2x", "1000000", ","})
    EXPECT_THROW(wanted_threads(bad), EnvironmentError) << bad;

  const auto solo = make_solo_communicator();
  PlacementWish seven;
  seven.threads = 7;
  EXPECT_EQ(place_rank(*solo, "cpu", seven).threads, 7);
  const char* before = std::getenv("OMP_NUM_THREADS");
  const std::string kept = before ? before : "";
  setenv("OMP_NUM_THREADS", "5", 1);
  EXPECT_EQ(place_rank(*solo, "cpu").threads, 5);
  EXPECT_EQ(place_rank(*solo, "cpu", seven).threads, 7);
  if (before)
    setenv("OMP_NUM_THREADS", kept.c_str(), 1);
  else
    unsetenv("OMP_NUM_THREADS");
}

// Several ranks on a machine with CUDA used to compute there and then fail in their first collective.
TEST(Device, RanksThatCannotExchangeCudaTensorsStayOnTheCpu) {
  const std::vector<DeviceView> views = {{"a", {"A0"}, ""}, {"a", {"A0"}, ""}};
  const std::vector<int> each = {0, 0};
  EXPECT_FALSE(takes_cuda("auto", views, each, false, "mpi"));
  EXPECT_TRUE(takes_cuda("auto", views, each, true, "nccl"));
  EXPECT_FALSE(takes_cuda("cpu", views, each, true, "nccl"));
  EXPECT_TRUE(takes_cuda("cuda", views, each, true, "nccl"));
  EXPECT_THROW(takes_cuda("cuda", views, each, false, "mpi"), EnvironmentError);
  EXPECT_TRUE(make_solo_communicator()->carries(c10::DeviceType::CUDA));
}

TEST(Device, ARankWithoutADeviceIsNamedWithTheReason) {
  const auto words = [](const std::vector<DeviceView>& views, const std::vector<int>& devices) {
    EXPECT_FALSE(takes_cuda("auto", views, devices, true, "nccl"));
    try {
      takes_cuda("cuda", views, devices, true, "nccl");
    } catch (const EnvironmentError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(words({{"a", {"A0"}, ""}, {"b", {}, "the driver is too old"}}, {0, -1}),
              testing::StartsWith("there is no CUDA device: the driver is too old (rank 1 on b); "));
  EXPECT_THAT(words({{"a", {"A0"}, ""}, {"a", {"A0"}, ""}}, {0, -1}),
              testing::StartsWith("more ranks on a node than CUDA devices (rank 1 on a, which sees 1); "));
  EXPECT_THAT(words({{"a", {"A0"}, ""}, {"a", {"A0"}, ""}}, {0, -1}), testing::HasSubstr("--share-gpu"));
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
