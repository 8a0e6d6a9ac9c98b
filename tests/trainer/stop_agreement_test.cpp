#include "trainer/stop_agreement.h"

#include <gtest/gtest.h>

#include <csignal>

namespace smoothlab::trainer {
namespace {

TEST(StopAgreement, AsksAboutTwiceASecond) {
  EXPECT_EQ(next_stop_interval(10, 100), 20);  // 50 would fit, but it grows at most twofold
  EXPECT_EQ(next_stop_interval(40, 400), 50);
  EXPECT_EQ(next_stop_interval(50, 5000), 5);
  EXPECT_EQ(next_stop_interval(3, 60000), 1);
  EXPECT_EQ(next_stop_interval(1, 0), 2);
  EXPECT_EQ(next_stop_interval(900, 1), 1000);
}

TEST(StopAgreement, TellsAloneAtOnce) {
  const auto communicator = cluster::make_solo_communicator();
  const cluster::StopSignal signal;
  StopAgreement agreement(*communicator, signal);
  EXPECT_EQ(agreement.at_boundary(), cluster::StopRequest::none);
  std::raise(SIGUSR2);
  EXPECT_EQ(agreement.at_boundary(), cluster::StopRequest::requeue);
}

}  // namespace
}  // namespace smoothlab::trainer
