#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "cluster/device.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

TEST(DeviceMpi, RanksOfANodeShareItsCores) {
  const Placement placement = place_rank(test::ranks(), "cpu");
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_GE(placement.threads, 1);
  EXPECT_LE(placement.threads, std::max(1, cores / test::ranks().size()));
  EXPECT_EQ(test::ranks().agree_max(placement.threads), -test::ranks().agree_max(-placement.threads));
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
