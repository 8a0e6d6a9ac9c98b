#include "cluster/gradient_reducer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

using testing::ElementsAre;

class GradientReducerTest : public testing::Test {
 protected:
  std::unique_ptr<Communicator> solo = make_solo_communicator();
  at::Tensor weight = at::rand({3, 4}).requires_grad_();
  at::Tensor bias = at::rand({3}).requires_grad_();
  std::vector<at::Tensor> leaves = {weight, bias};
  GradientReducer reducer{*solo, leaves, {}};
};

TEST_F(GradientReducerTest, GradientsAreViewsOfTheFlatBuffer) {
  for (int step = 0; step < 2; ++step) {
    reducer.begin(true);
    (weight.sum() * 2 + (bias * bias).sum()).backward();
    reducer.finish();
    EXPECT_TRUE(weight.grad().equal(at::full({3, 4}, 2.0)));
    EXPECT_TRUE(bias.grad().equal(2 * bias.detach()));
    for (int64_t i = 0; i < 2; ++i)
      EXPECT_EQ(leaves[i].grad().data_ptr(), reducer.layout().view(reducer.gradients(), i).data_ptr());
  }
}

TEST_F(GradientReducerTest, MicroBatchesAddUp) {
  for (int micro = 0; micro < 3; ++micro) {
    reducer.begin(micro == 2);
    (weight.sum() * (micro + 1)).backward();
  }
  reducer.finish();
  EXPECT_TRUE(weight.grad().equal(at::full({3, 4}, 6.0)));
  EXPECT_TRUE(bias.grad().equal(at::zeros({3})));
}

// As on a GPU: of both types, some that come in the second micro-batch first, one that never does, and a
// buffer that holds the numbers of the step before.
TEST(GradientReducerTogether, NeitherLosesNorDoublesWhatWaits) {
  const auto solo = make_solo_communicator();
  const at::Tensor early = at::rand({3, 4}).requires_grad_();
  const at::Tensor late = at::rand({5}).requires_grad_(), never = at::rand({2}).requires_grad_();
  const at::Tensor rounded = at::rand({4}).to(at::kBFloat16).requires_grad_();
  for (const int64_t bucket_bytes : {1, 1 << 20}) {
    ReducerOptions options;
    options.copy_together = true;
    options.bucket_bytes = options.first_bucket_bytes = bucket_bytes;
    GradientReducer together(*solo, {early, late, rounded, never}, options);
    for (int step = 1; step <= 2; ++step) {
      for (int micro = 1; micro <= 3; ++micro) {
        together.begin(micro == 3);
        at::Tensor loss = early.sum() * (micro * step) + rounded.to(at::kFloat).sum() * (2 * micro * step);
        if (micro >= 2) loss = loss + late.sum() * (micro * step);
        loss.backward();
      }
      together.finish();
      const auto gradient = [&](int64_t leaf) { return together.layout().view(together.gradients(), leaf); };
      EXPECT_TRUE(gradient(0).equal(at::full({3, 4}, 6.0 * step))) << bucket_bytes;
      EXPECT_TRUE(gradient(1).equal(at::full({5}, 5.0 * step))) << bucket_bytes;
      EXPECT_TRUE(gradient(2).equal(at::full({4}, 12.0 * step))) << bucket_bytes;
      EXPECT_TRUE(gradient(3).equal(at::zeros({2}))) << bucket_bytes;
      EXPECT_TRUE(early.grad().equal(gradient(0)));
    }
  }
}

TEST_F(GradientReducerTest, LowPrecisionGradientsAddUpAlikeOnAnyNumberOfThreads) {
#ifndef _OPENMP
  GTEST_SKIP() << "built without OpenMP, as under the thread sanitizer";
#endif
  const int before = at::get_num_threads();
  constexpr int64_t size = 200001;
  std::vector<at::Tensor> sums;
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    at::parallel_for(0, size, 1 << 15, [&](int64_t, int64_t) {
      const std::lock_guard<std::mutex> lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(static_cast<int>(seen.size()), threads) << "parallel loops of this build are not parallel";
    const at::Tensor low = at::zeros({size}, at::kBFloat16).requires_grad_();
    GradientReducer own(*solo, {low}, {});
    for (int micro = 0; micro < 2; ++micro) {
      own.begin(micro == 1);
      (low * (at::arange(size) % 97 + micro).to(at::kBFloat16)).sum().backward();
    }
    own.finish();
    sums.push_back(own.layout().view(own.gradients(), 0).clone());
  }
  at::set_num_threads(before);
  EXPECT_TRUE(sums[0].equal(sums[1]));
  EXPECT_TRUE(sums[0].equal(2 * (at::arange(size, at::kFloat) % 97) + 1));
}

TEST_F(GradientReducerTest, AStepWithoutBackwardIsZero) {
  reducer.begin(true);
  (weight.sum() + bias.sum()).backward();
  reducer.finish();
  reducer.begin(true);
  reducer.finish();
  EXPECT_TRUE(reducer.gradients().equal(at::zeros({reducer.layout().total()})));
}

TEST_F(GradientReducerTest, SettlesOnTheOrderOfArrivalOnce) {
  EXPECT_FALSE(reducer.settle());  // nothing has arrived yet
  EXPECT_THAT(reducer.layout().order(), ElementsAre(1, 0));
  const auto step = [this] {
    reducer.begin(true);
    const at::Tensor first = bias.sum() * 3, second = (weight * weight).sum();
    (first + second).backward();
    reducer.finish();
  };
  step();
  const std::vector<at::Tensor> before = {weight.grad().clone(), bias.grad().clone()};
  ASSERT_TRUE(reducer.settle());
  EXPECT_THAT(reducer.layout().order(), ElementsAre(0, 1));  // what forward used last comes first
  EXPECT_FALSE(reducer.settle());
  for (int64_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(leaves[i].grad().equal(before[i]));
    EXPECT_EQ(leaves[i].grad().data_ptr(), reducer.layout().view(reducer.gradients(), i).data_ptr());
  }
  step();
  EXPECT_TRUE(weight.grad().equal(before[0]));
  EXPECT_TRUE(bias.grad().equal(before[1]));
}

TEST_F(GradientReducerTest, AGivenOrderIsFinal) {
  GradientReducer resumed(*solo, leaves, {25 << 20, 1 << 20, {0, 1}});
  EXPECT_THAT(resumed.layout().order(), ElementsAre(0, 1));
  resumed.begin(true);
  resumed.finish();
  EXPECT_FALSE(resumed.settle());
  EXPECT_THROW(GradientReducer(*solo, leaves, {25 << 20, 1 << 20, {0, 0}}), RunError);
}

TEST_F(GradientReducerTest, LeavesCanMoveIntoFlatStorage) {
  const at::Tensor parameters = at::zeros({reducer.layout().total()});
  std::vector<at::Tensor> moved;
  for (int64_t i = 0; i < 2; ++i) {
    const at::Tensor view = reducer.layout().view(parameters, i);
    view.copy_(leaves[i].detach());
    moved.push_back(view.detach().requires_grad_());
  }
  reducer.rebind(moved);
  reducer.begin(true);
  (moved[0].sum() * 2 + moved[1].sum()).backward();
  reducer.finish();
  EXPECT_TRUE(moved[0].grad().equal(at::full({3, 4}, 2.0)));
  EXPECT_FALSE(weight.grad().defined());
  (weight.sum()).backward();  // the old leaves are free again
  EXPECT_TRUE(reducer.layout().view(reducer.gradients(), 0).equal(at::full({3, 4}, 2.0)));
  EXPECT_THROW(reducer.rebind({weight}), RunError);
  EXPECT_THROW(reducer.rebind({bias, weight}), RunError);
}

// 1 + 2^-9 needs more than the 8 bits of a bfloat16: the sum has to be taken in float32.
TEST_F(GradientReducerTest, LowPrecisionLeavesAccumulateInFloat32) {
  for (const auto type : {at::kBFloat16, at::kHalf}) {
    at::Tensor low = at::ones({5, 7}, type).requires_grad_();
    at::Tensor full = at::ones({5}).requires_grad_();
    GradientReducer mixed(*solo, {low, full}, {});
    mixed.begin(false);
    (low.sum() + full.sum()).backward();
    mixed.begin(true);
    (low.sum() * std::ldexp(1.0, -9)).backward();
    mixed.finish();
    EXPECT_FALSE(low.grad().defined());
    EXPECT_EQ(mixed.gradients().scalar_type(), at::kFloat);
    EXPECT_TRUE(mixed.layout().view(mixed.gradients(), 0).equal(at::full({5, 7}, 1 + std::ldexp(1.0, -9))));
  }
}

TEST_F(GradientReducerTest, ChannelsLastWeightsOfAConvolution) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    at::manual_seed(5);
    const at::Tensor start = at::rand({8, 4, 3, 3}), input = at::rand({2, 4, 6, 6});
    at::Tensor plain = start.clone().requires_grad_();
    at::conv2d(input, plain).pow(2).sum().backward();
    at::Tensor last = start.to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    GradientReducer conv(*solo, {last}, {});
    for (const bool last_micro_batch : {false, true}) {
      conv.begin(last_micro_batch);
      at::conv2d(input.to(type), last).pow(2).sum().backward();
    }
    conv.finish();
    const at::Tensor found = conv.layout().view(conv.gradients(), 0);
    EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast));
    const double tolerance = type == at::kFloat ? 1e-5 : 2e-2;
    EXPECT_TRUE(at::allclose(found, 2 * plain.grad(), tolerance, tolerance)) << type;
  }
}

TEST_F(GradientReducerTest, WrongUseIsAnError) {
  EXPECT_THROW(weight.sum().backward(), RunError);  // outside of a step
  weight.mutable_grad() = at::Tensor();
  EXPECT_THROW(reducer.finish(), RunError);
  reducer.begin(false);
  EXPECT_THROW(reducer.finish(), RunError);
  weight.sum().backward();
  EXPECT_THROW(weight.sum().backward(), RunError);
  EXPECT_THROW(GradientReducer(*solo, {at::ones({2})}, {}), RunError);
  EXPECT_THROW(GradientReducer(*solo, {weight * 2}, {}), RunError);
}

TEST_F(GradientReducerTest, AReducerThatIsGoneLeavesBackwardAlone) {
  at::Tensor leaf = at::ones({3}).requires_grad_();
  const at::Tensor loss = leaf.sum();
  { const GradientReducer gone(*solo, {leaf}, {}); }
  loss.backward();
  EXPECT_TRUE(leaf.grad().equal(at::ones({3})));
}

}  // namespace
}  // namespace smoothlab::cluster
