#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/build_info.h"
#include "support/ranks.h"
#include "trainer/repeated_steps.h"

namespace smoothlab::trainer {
namespace {

// The sum over ranks is part of the graph. Ranks share a device where there are fewer.
TEST(LearnerGpuMpi, ACapturedStepStandsForAllOthers) {
  if (!test::ranks().agree_all(cluster::cuda_devices() > 0)) GTEST_SKIP() << "no CUDA device";
  if (!cluster::built_with_nccl()) GTEST_SKIP() << "built without NCCL";
  cluster::PlacementWish wish;
  wish.share_gpu = true;
  const auto placement = cluster::place_rank(test::ranks(), "cuda", wish);
  cluster::apply(placement);
  const cluster::ComputeStream stream(placement.device);
  const cluster::ComputeStream::Scope scope(stream);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  for (const Recipe& recipe : recipes_to_repeat()) {
    const Trained launched = train(recipe, "never", test::ranks(), placement);
    const Trained repeated = train(recipe, "auto", test::ranks(), placement);
    EXPECT_NEAR(launched.loss, repeated.loss, 1e-5 * launched.loss) << recipe.optimizer.name;
    for (size_t i = 0; i < launched.tensors.size(); ++i)
      EXPECT_TRUE(at::allclose(launched.tensors[i].second, repeated.tensors[i].second, 1e-3, 1e-5))
          << recipe.optimizer.name << ", " << launched.tensors[i].first;
  }
}

}  // namespace
}  // namespace smoothlab::trainer
