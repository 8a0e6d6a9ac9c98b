#include "trainer/learner.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/device.h"
#include "trainer/repeated_steps.h"

namespace smoothlab::trainer {
namespace {

class LearnerGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
    solo = cluster::make_solo_communicator();
    placement = cluster::place_rank(*solo, "cuda");
    cluster::apply(placement);
    stream.emplace(placement.device);
    scope.emplace(*stream);
    // Algorithms that add in an order of their own each time would hide what is looked for.
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
  }
  std::unique_ptr<cluster::Communicator> solo;
  cluster::Placement placement;
  std::optional<cluster::ComputeStream> stream;
  std::optional<cluster::ComputeStream::Scope> scope;
};

TEST_F(LearnerGpu, ACapturedStepStandsForAllOthers) {
  for (const Recipe& recipe : recipes_to_repeat()) {
    const Trained launched = train(recipe, "never", *solo, placement);
    const Trained again = train(recipe, "never", *solo, placement);
    const Trained repeated = train(recipe, "auto", *solo, placement);
    EXPECT_EQ(launched.correct, repeated.correct) << recipe.optimizer.name;
    ASSERT_EQ(launched.tensors.size(), repeated.tensors.size());
    for (size_t i = 0; i < launched.tensors.size(); ++i) {
      const auto& [name, tensor] = launched.tensors[i];
      // Bitwise where launching twice is.
      const double noise = (tensor - again.tensors[i].second).abs().max().item<double>();
      const double gap = (tensor - repeated.tensors[i].second).abs().max().item<double>();
      EXPECT_LE(gap, 4 * noise) << recipe.optimizer.name << ", " << name;
    }
  }
}

TEST_F(LearnerGpu, TrainsAsOnTheCpu) {
  for (const Recipe& recipe : recipes_to_repeat()) {
    if (recipe.train.precision != "fp32") continue;
    const Trained cpu = train(recipe, "never", *solo, cluster::Placement{});
    const Trained gpu = train(recipe, "auto", *solo, placement);
    EXPECT_NEAR(cpu.loss, gpu.loss, 1e-2 * cpu.loss);
    for (size_t i = 0; i < cpu.tensors.size(); ++i)
      // Where a gradient is next to nothing its sign is chance, and Adam makes a whole step of it.
      EXPECT_LT((cpu.tensors[i].second - gpu.tensors[i].second)
                    .abs()
                    .gt(2e-2 * cpu.tensors[i].second.abs() + 2e-3)
                    .to(at::kFloat)
                    .mean()
                    .item<float>(),
                0.02)
          << recipe.optimizer.name << ", " << cpu.tensors[i].first;
  }
}

}  // namespace
}  // namespace smoothlab::trainer
