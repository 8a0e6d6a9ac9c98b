#include "trainer/stop_agreement.h"

#include <gtest/gtest.h>

#include <csignal>

namespace smoothlab::trainer {
namespace {

TEST(StopAgreement, AsksEveryFewStepsWhereStepsAreShort) {
  EXPECT_EQ(next_stop_interval(1, 0), 2);
  EXPECT_EQ(next_stop_interval(1, 1000), 2);  // 50 would fit, but it grows at most twofold
  EXPECT_EQ(next_stop_interval(4, 1000), StopAgreement::most_steps);
  EXPECT_EQ(next_stop_interval(8, 1), StopAgreement::most_steps);
  EXPECT_EQ(next_stop_interval(8, 100'000), 4);
  EXPECT_EQ(next_stop_interval(1, 25'001), 1);
  EXPECT_EQ(next_stop_interval(8, 60'000'000), 1);
}

TEST(StopAgreement, TellsAloneAtOnce) {
  const auto communicator = cluster::make_solo_communicator();
  const cluster::StopSignal signal;
  StopAgreement agreement(*communicator, signal);
  EXPECT_EQ(agreement.at_boundary(false).request, cluster::StopRequest::none);
  EXPECT_FALSE(agreement.at_boundary(false).trouble);
  EXPECT_TRUE(agreement.at_boundary(true).trouble);
  std::raise(SIGUSR2);
  EXPECT_EQ(agreement.at_boundary(false).request, cluster::StopRequest::requeue);
}

}  // namespace
}  // namespace smoothlab::trainer
