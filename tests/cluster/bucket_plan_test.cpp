#include "cluster/bucket_plan.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smoothlab::cluster {
namespace {

FlatLayout layout_of(const std::vector<int64_t>& sizes, std::vector<int64_t> order) {
  std::vector<at::Tensor> prototypes;
  for (const int64_t size : sizes) prototypes.push_back(at::empty({size}));
  return FlatLayout(prototypes, std::move(order));
}

TEST(BucketPlan, ABucketClosesWhenItHoldsItsLimit) {
  // Limits of 64 and 128 elements.
  const auto plan = plan_buckets(layout_of({32, 16, 48, 16, 160, 16}, {5, 4, 3, 2, 1, 0}), 4 * 64, 4 * 128);
  ASSERT_EQ(plan.buckets.size(), 2u);
  EXPECT_EQ(plan.buckets[0].begin, 0);
  EXPECT_EQ(plan.buckets[0].end, 176);  // 16, then 160 passes the limit
  EXPECT_EQ(plan.buckets[0].tensors, 2);
  EXPECT_EQ(plan.buckets[1].begin, 176);
  EXPECT_EQ(plan.buckets[1].end, 288);  // the rest, below its limit
  EXPECT_THAT(plan.bucket_of, testing::ElementsAre(1, 1, 1, 1, 0, 0));
}

TEST(BucketPlan, TinyLimitGivesEachTensorItsOwn) {
  const auto plan = plan_buckets(layout_of({3, 0, 20}, {1, 2, 0}), 1, 1);
  ASSERT_EQ(plan.buckets.size(), 2u);  // the empty tensor goes with the next
  EXPECT_THAT(plan.bucket_of, testing::ElementsAre(1, 0, 0));
  EXPECT_EQ(plan.buckets.back().end, 48);
}

TEST(BucketPlan, BucketsCoverTheBuffer) {
  const FlatLayout layout = layout_of({1000, 7, 300000, 42, 1 << 20, 5}, {3, 1, 0, 5, 2, 4});
  const auto plan = plan_buckets(layout, 1 << 20, 25 << 20);
  int64_t end = 0, tensors = 0;
  for (const Bucket& bucket : plan.buckets) {
    EXPECT_EQ(bucket.begin, end);
    end = bucket.end;
    tensors += bucket.tensors;
  }
  EXPECT_EQ(end, layout.total());
  EXPECT_EQ(tensors, 6);
  EXPECT_TRUE(plan_buckets(FlatLayout({}, {}), 1, 1).buckets.empty());
}

}  // namespace
}  // namespace smoothlab::cluster
