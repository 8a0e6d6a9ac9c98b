#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/build_info.h"
#include "cluster/device.h"
#include "cluster/error.h"
#include "cluster/gradient_reducer.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

using test::ranks;

/// Ranks of this test share the device where there are fewer devices than ranks.
class NcclGpuMpi : public testing::Test {
 protected:
  void SetUp() override {
    if (!ranks().agree_all(cuda_devices() > 0)) GTEST_SKIP() << "no CUDA device";
    if (!built_with_nccl()) GTEST_SKIP() << "built without NCCL";
    PlacementWish wish;
    wish.share_gpu = true;
    placement = place_rank(ranks(), "cuda", wish);
    apply(placement);
  }

  at::Tensor values(at::ScalarType type, int64_t size) const {
    return (at::arange(size, at::kDouble).remainder(50) + ranks().rank()).to(type);
  }
  Placement placement;
};

TEST_F(NcclGpuMpi, SumsAsMpiDoes) {
  EXPECT_EQ(ranks().backend(), "nccl");
  for (const auto type : {at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte, at::kBFloat16})
    for (const int64_t size : {1, 1000, 3'000'001})
      for (const auto reduction : {Reduction::sum, Reduction::max, Reduction::min}) {
        if (type == at::kBFloat16 && reduction != Reduction::sum) continue;
        const at::Tensor host = values(type, size), device = host.to(placement.device);
        ranks().allreduce(host, reduction);
        ranks().allreduce(device, reduction);
        EXPECT_TRUE(device.cpu().equal(host)) << type << ", " << size;
      }
}

TEST_F(NcclGpuMpi, BroadcastsAndGathers) {
  for (int root = 0; root < ranks().size(); ++root) {
    const at::Tensor sent = values(at::kFloat, 1000).to(placement.device);
    ranks().broadcast(sent, root);
    EXPECT_TRUE(sent.cpu().equal(values(at::kFloat, 1000) - ranks().rank() + root));
  }
  const at::Tensor own = values(at::kLong, 6).reshape({2, 3});
  EXPECT_TRUE(ranks().allgather(own.to(placement.device)).cpu().equal(ranks().allgather(own)));
}

// The host goes on at once: order is the stream's.
TEST_F(NcclGpuMpi, CollectivesKeepTheOrderOfTheStream) {
  const int64_t n = ranks().size();
  at::Tensor tensor = at::ones({1 << 20}, at::TensorOptions().device(placement.device));
  for (int round = 0; round < 5; ++round) {
    const auto pending = ranks().allreduce_async(tensor, Reduction::sum);
    pending->wait();
    tensor.div_(static_cast<double>(n)).add_(1);
  }
  EXPECT_TRUE(tensor.cpu().equal(at::full({1 << 20}, 6.0)));
}

TEST_F(NcclGpuMpi, GradientsAreReducedAsOnTheCpu) {
  const auto reduced = [&](c10::Device device, bool bfloat16) {
    std::vector<at::Tensor> leaves;
    for (const int64_t size : {40, 7, 5000, 333})
      leaves.push_back(at::ones({size}, at::TensorOptions().device(device)).requires_grad_());
    ReducerOptions options;
    options.bucket_bytes = 4096;
    options.first_bucket_bytes = 1024;
    options.bfloat16 = bfloat16;
    GradientReducer reducer(ranks(), leaves, options);
    reducer.begin(true);
    at::Tensor loss = at::zeros({}, at::TensorOptions().device(device));
    for (const at::Tensor& leaf : leaves)
      loss = loss + (leaf * values(at::kFloat, leaf.numel()).to(device)).sum();
    loss.backward();
    reducer.finish();
    return reducer.gradients().cpu();
  };
  for (const bool bfloat16 : {false, true})
    EXPECT_TRUE(reduced(placement.device, bfloat16).equal(reduced(at::kCPU, bfloat16)))
        << "sums of small whole numbers are exact in both";
}

}  // namespace
}  // namespace smoothlab::cluster
