#include "cluster/machine_probe.h"

#include <gtest/gtest.h>

#include "cluster/device.h"

namespace smoothlab::cluster {
namespace {

TEST(MachineProbe, SaysNothingImpossible) {
  const double gflops = matrix_gflops();
  EXPECT_GT(gflops, 0.1);
  EXPECT_LT(gflops, 1e6);
  EXPECT_TRUE(torch_has_cuda() || cuda_devices() == 0);
  const std::string nccl = nccl_version();
  EXPECT_TRUE(nccl.empty() || nccl.find("2.") == 0 || nccl == "of unknown version") << nccl;
}

}  // namespace
}  // namespace smoothlab::cluster
