#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "cluster/error.h"
#include "cluster/gradient_reducer.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

using test::ranks;

/// Passes collectives on and notes the size of each allreduce.
class CountingCommunicator : public Communicator {
 public:
  std::vector<int64_t> sizes;

  int rank() const override { return ranks().rank(); }
  int size() const override { return ranks().size(); }
  int local_rank() const override { return ranks().local_rank(); }
  int local_size() const override { return ranks().local_size(); }
  std::string backend() const override { return ranks().backend(); }
  std::unique_ptr<PendingCollective> allreduce_async(at::Tensor tensor, Reduction reduction) override {
    sizes.push_back(tensor.numel());
    return ranks().allreduce_async(std::move(tensor), reduction);
  }
  void broadcast(const at::Tensor& tensor, int root) override { ranks().broadcast(tensor, root); }
  at::Tensor allgather(const at::Tensor& tensor) override { return ranks().allgather(tensor); }
  void barrier() override { ranks().barrier(); }
  [[noreturn]] void abort(int exit_code) override {
    ranks().abort(exit_code);
    std::abort();
  }
};

std::vector<at::Tensor> make_leaves() {
  std::vector<at::Tensor> leaves;
  for (const int64_t size : {40, 7, 1000, 16, 333, 5000}) leaves.push_back(at::ones({size}).requires_grad_());
  leaves.push_back(at::ones({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_());
  leaves.push_back(at::ones({12, 12}).requires_grad_());
  return leaves;
}

/// A gradient in small integers, so that sums are exact in whatever order they are taken.
at::Tensor chosen_gradient(int rank, int64_t leaf, const at::Tensor& like, int step = 0) {
  const at::Tensor counted = at::arange(like.numel(), at::kFloat).remainder(13).reshape(like.sizes());
  return counted + static_cast<double>(rank * 100 + leaf * 7 + step * 3);
}

/// A loss whose gradient at each leaf is the chosen one. Leaves for which keep is false are left out.
template <typename Keep>
at::Tensor loss_of(const std::vector<at::Tensor>& leaves, bool reversed, int step, Keep keep) {
  at::Tensor loss = at::zeros({});
  for (size_t place = 0; place < leaves.size(); ++place) {
    const auto leaf = static_cast<int64_t>(reversed ? leaves.size() - 1 - place : place);
    if (!keep(leaf)) continue;
    loss = loss + (leaves[leaf] * chosen_gradient(ranks().rank(), leaf, leaves[leaf], step)).sum();
  }
  return loss;
}

const auto all_leaves = [](int64_t) { return true; };

void expect_sums(const GradientReducer& reducer, const std::vector<at::Tensor>& leaves, int step = 0) {
  for (int64_t leaf = 0; leaf < reducer.layout().tensors(); ++leaf) {
    at::Tensor expected = at::zeros(leaves[leaf].sizes());
    for (int r = 0; r < ranks().size(); ++r) expected += chosen_gradient(r, leaf, leaves[leaf], step);
    EXPECT_TRUE(reducer.layout().view(reducer.gradients(), leaf).equal(expected)) << "leaf " << leaf;
  }
}

std::string joined(const std::vector<int64_t>& numbers) {
  std::string text;
  for (const int64_t number : numbers) text += std::to_string(number) + " ";
  return text;
}

void expect_equal_on_all_ranks(const std::string& text) {
  for (const std::string& other : ranks().allgather_text(text)) EXPECT_EQ(other, text);
}

/// Bytes of a bucket, and whether gradients wait to be copied together.
class GradientReducerMpi : public testing::TestWithParam<std::tuple<int64_t, bool>> {
 protected:
  ReducerOptions options() const {
    const auto& [bytes, together] = GetParam();
    return {bytes, bytes, {}, false, together};
  }
  CountingCommunicator counting;
  std::vector<at::Tensor> leaves = make_leaves();
};

TEST_P(GradientReducerMpi, BucketsGiveTheClosedForm) {
  GradientReducer reducer(counting, leaves, options());
  for (int step = 0; step < 3; ++step) {
    reducer.begin(true);
    loss_of(leaves, false, step, all_leaves).backward();
    reducer.finish();
    expect_sums(reducer, leaves, step);
  }
}

TEST_P(GradientReducerMpi, BucketsGoOutDuringBackwardInOneOrder) {
  GradientReducer reducer(counting, leaves, options());
  reducer.begin(true);
  loss_of(leaves, ranks().rank() % 2 == 1, 0, all_leaves).backward();
  EXPECT_FALSE(counting.sizes.empty());
  reducer.finish();
  expect_sums(reducer, leaves);
  int64_t total = 0;
  for (const int64_t size : counting.sizes) total += size;
  EXPECT_EQ(total, reducer.layout().total());
  expect_equal_on_all_ranks(joined(counting.sizes));
}

TEST_P(GradientReducerMpi, SettlesOnRankZerosOrder) {
  GradientReducer reducer(counting, leaves, options());
  const bool reversed = ranks().rank() == 0;  // against everybody else
  reducer.begin(true);
  loss_of(leaves, reversed, 0, all_leaves).backward();
  reducer.finish();
  EXPECT_TRUE(reducer.settle());
  expect_sums(reducer, leaves);
  expect_equal_on_all_ranks(joined(reducer.layout().order()));
  // Rank 0 used its last leaf first, so that its gradient came last.
  EXPECT_EQ(joined(reducer.layout().order()), "0 1 2 3 4 5 6 7 ");
  for (int step = 1; step < 3; ++step) {
    reducer.begin(true);
    loss_of(leaves, reversed, step, all_leaves).backward();
    reducer.finish();
    EXPECT_FALSE(reducer.settle());
    expect_sums(reducer, leaves, step);
  }

  // A reducer that is given the order, as one that resumes, has the same buckets from the start.
  CountingCommunicator again;
  ReducerOptions given = options();
  given.order = reducer.layout().order();
  GradientReducer resumed(again, leaves = make_leaves(), given);
  counting.sizes.clear();
  resumed.begin(true);
  loss_of(leaves, reversed, 0, all_leaves).backward();
  resumed.finish();
  expect_sums(resumed, leaves);
}

TEST_P(GradientReducerMpi, AccumulationCommunicatesOnce) {
  GradientReducer reducer(counting, leaves, options());
  for (int micro = 0; micro < 3; ++micro) {
    EXPECT_TRUE(counting.sizes.empty());
    reducer.begin(micro == 2);
    loss_of(leaves, false, 0, all_leaves).backward();
  }
  reducer.finish();
  const size_t sent = counting.sizes.size();
  reducer.gradients().div_(3);
  expect_sums(reducer, leaves);
  reducer.begin(true);
  loss_of(leaves, false, 0, all_leaves).backward();
  reducer.finish();
  EXPECT_EQ(counting.sizes.size(), 2 * sent);
}

TEST_P(GradientReducerMpi, RanksMayLackGradients) {
  GradientReducer reducer(counting, leaves, options());
  for (int step = 0; step < 2;
       ++step) {  // in the second, old gradients are there to be mistaken for new ones
    const int n = ranks().size();
    reducer.begin(true);
    const at::Tensor loss =
        loss_of(leaves, false, 0, [n](int64_t leaf) { return leaf % n != ranks().rank(); });
    if (loss.requires_grad()) loss.backward();  // one rank alone lacks all
    reducer.finish();
    for (int64_t leaf = 0; leaf < reducer.layout().tensors(); ++leaf) {
      at::Tensor expected = at::zeros(leaves[leaf].sizes());
      for (int r = 0; r < n; ++r)
        if (leaf % n != r) expected += chosen_gradient(r, leaf, leaves[leaf]);
      EXPECT_TRUE(reducer.layout().view(reducer.gradients(), leaf).equal(expected)) << leaf;
    }
    reducer.settle();
  }
}

TEST_P(GradientReducerMpi, ARankWithAnEmptySliceTakesPart) {
  GradientReducer reducer(counting, leaves, options());
  const int idle = ranks().size() - 1;
  for (int step = 0; step < 2; ++step) {
    reducer.begin(true);
    if (ranks().rank() != idle) loss_of(leaves, false, 0, all_leaves).backward();
    reducer.finish();
    for (int64_t leaf = 0; leaf < reducer.layout().tensors(); ++leaf) {
      at::Tensor expected = at::zeros(leaves[leaf].sizes());
      for (int r = 0; r < idle; ++r) expected += chosen_gradient(r, leaf, leaves[leaf]);
      EXPECT_TRUE(reducer.layout().view(reducer.gradients(), leaf).equal(expected)) << leaf;
    }
    EXPECT_EQ(reducer.settle(), step == 0);
  }
}

// On values that do round: buckets against one allreduce a tensor, on a network that shares work.
TEST_P(GradientReducerMpi, BucketedEqualsUnbucketed) {
  at::manual_seed(3);
  std::vector<at::Tensor> network;
  for (const int64_t width : {17, 64, 64}) {
    network.push_back(at::randn({64, network.empty() ? width : 64}).mul_(0.1).requires_grad_());
    network.push_back(at::zeros({64}).requires_grad_());
  }
  at::manual_seed(100 + ranks().rank());
  const at::Tensor input = at::randn({9, 17});
  const auto loss = [&] {
    at::Tensor x = input;
    for (size_t i = 0; i < network.size(); i += 2) x = at::tanh(at::addmm(network[i + 1], x, network[i].t()));
    return x.pow(2).mean();
  };
  loss().backward();
  std::vector<at::Tensor> unbucketed;
  for (const at::Tensor& leaf : network) {
    unbucketed.push_back(leaf.grad().clone());
    ranks().allreduce(unbucketed.back(), Reduction::sum);
  }
  GradientReducer reducer(counting, network, options());
  reducer.begin(true);
  loss().backward();
  reducer.finish();
  for (size_t leaf = 0; leaf < network.size(); ++leaf) {
    const at::Tensor& found = network[leaf].grad();
    if (ranks().size() <= 2) {
      EXPECT_TRUE(found.equal(unbucketed[leaf])) << leaf;  // a sum of two has one order
    } else {
      EXPECT_TRUE(at::allclose(found, unbucketed[leaf], 1e-5, 1e-7)) << leaf;
    }
  }
}

TEST_P(GradientReducerMpi, LowPrecisionLeavesAreSummedInFloat32) {
  at::Tensor low = at::ones({100}, at::kBFloat16).requires_grad_();
  GradientReducer reducer(counting, {low}, options());
  reducer.begin(true);
  const double small = std::ldexp(1.0, -10);
  (low.sum() * (ranks().rank() == 0 ? 1.0 : small)).backward();
  reducer.finish();
  const at::Tensor sum = reducer.layout().view(reducer.gradients(), 0);
  EXPECT_TRUE(sum.equal(at::full({100}, 1.0 + (ranks().size() - 1) * small)));
}

TEST_P(GradientReducerMpi, RanksThatDisagreeAboutTheOrderAreToldSo) {
  ReducerOptions differing = options();
  differing.order = {0, 1, 2, 3, 4, 5, 6, 7};
  if (ranks().rank() == 1) std::swap(differing.order[2], differing.order[5]);
  if (ranks().size() > 1) {
    EXPECT_THROW(GradientReducer(counting, leaves, differing), RunError);
  } else {
    EXPECT_NO_THROW(GradientReducer(counting, leaves, differing));
  }
}

TEST_P(GradientReducerMpi, RanksThatDisagreeAboutTheMemoryFormatAreToldSo) {
  const bool other = ranks().rank() == 1;
  const at::Tensor filter =
      at::ones({4, 3, 2, 2})
          .contiguous(other ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  const std::vector<at::Tensor> filters = {filter.requires_grad_()};
  if (ranks().size() > 1) {
    EXPECT_THROW(GradientReducer(counting, filters, options()), RunError);
  } else {
    EXPECT_NO_THROW(GradientReducer(counting, filters, options()));
  }
}

INSTANTIATE_TEST_SUITE_P(GradientReducerMpiBucketBytes, GradientReducerMpi,
                         testing::Combine(testing::Values(1, 2000, 25 << 20), testing::Bool()));

TEST(GradientReducerMpi, GradientsExchangedInBfloat16) {
  const std::vector<at::Tensor> leaves = make_leaves();
  ReducerOptions options;
  options.bucket_bytes = 4096;
  options.first_bucket_bytes = 1024;
  options.bfloat16 = true;
  GradientReducer reducer(ranks(), leaves, options);
  EXPECT_EQ(reducer.bytes(), reducer.layout().total() * (ranks().size() > 1 ? 6 : 4));
  // Two micro-batches whose gradients are multiples of 1/8 that bf16 holds only rounded; the first adds to
  // the second in float32, before anything is rounded.
  const auto gradient = [&](int rank, size_t leaf) {
    return (at::arange(leaves[leaf].numel(), at::kFloat).remainder(1001) / 8 + rank)
        .reshape(leaves[leaf].sizes());
  };
  for (const bool last : {false, true}) {
    reducer.begin(last);
    at::Tensor loss = at::zeros({});
    for (size_t leaf = 0; leaf < leaves.size(); ++leaf)
      loss = loss + (leaves[leaf] * gradient(ranks().rank(), leaf)).sum();
    loss.backward();
  }
  reducer.finish();
  double worst = 0;
  for (size_t leaf = 0; leaf < leaves.size(); ++leaf) {
    at::Tensor expected = at::zeros(leaves[leaf].sizes());
    for (int r = 0; r < ranks().size(); ++r) expected += 2 * gradient(r, leaf);
    const at::Tensor sums = reducer.layout().view(reducer.gradients(), static_cast<int64_t>(leaf));
    EXPECT_EQ(leaves[leaf].grad().data_ptr(), sums.data_ptr());
    if (ranks().size() == 1) {
      EXPECT_TRUE(sums.equal(expected)) << "nothing is exchanged, so nothing is rounded";
    }
    worst = std::max(worst, ((sums - expected).abs() / expected.clamp_min(1e-3)).max().item<double>());
  }
  // Each term is rounded once and each addition rounds: at most n units of 2^-9.
  EXPECT_LE(worst, ranks().size() / 256.0);
}

}  // namespace
}  // namespace smoothlab::cluster
