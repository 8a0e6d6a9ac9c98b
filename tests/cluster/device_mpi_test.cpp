#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

#include "cluster/device.h"
#include "cluster/file_system.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

/// Cores that any rank may run on; all ranks of a test are on one node.
cpu_set_t cores_of_all_ranks() {
  cpu_set_t mask;
  EXPECT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
  const at::Tensor allowed = at::zeros({CPU_SETSIZE}, at::kInt);
  for (int core = 0; core < CPU_SETSIZE; ++core)
    allowed.data_ptr<int32_t>()[core] = CPU_ISSET(core, &mask) ? 1 : 0;
  test::ranks().allreduce(allowed, Reduction::max);
  CPU_ZERO(&mask);
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (allowed.data_ptr<int32_t>()[core]) CPU_SET(core, &mask);
  return mask;
}

TEST(DeviceMpi, RanksOfANodeShareItsCores) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const cpu_set_t all = cores_of_all_ranks();
  const int cores = CPU_COUNT(&all);
  const int quota = quota_cores(local_file_system()->read("/proc/self/cgroup"), "/sys/fs/cgroup", cores);
  const int share = std::max(1, std::min(cores, quota) / test::ranks().size());
  // As mpirun bound them, perhaps each to a core of its own; then all of them to all cores.
  EXPECT_EQ(place_rank(test::ranks(), "cpu").threads, std::min(share, available_cores()));
  EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(place_rank(test::ranks(), "cpu").threads, share);
  sched_setaffinity(0, sizeof before, &before);
}

TEST(DeviceMpi, MpiCarriesTensorsOfTheCpuAlone) {
  EXPECT_TRUE(test::ranks().carries(c10::DeviceType::CPU));
  if (test::ranks().backend() == "mpi") {
    EXPECT_FALSE(test::ranks().carries(c10::DeviceType::CUDA));
    EXPECT_TRUE(place_rank(test::ranks(), "auto").device.is_cpu());
  }
}

}  // namespace
}  // namespace smoothlab::cluster
