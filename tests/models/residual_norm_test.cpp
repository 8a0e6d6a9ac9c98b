#include "models/residual_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/mlp.h"

namespace smoothlab::models {
namespace {

at::Tensor numbers(const std::vector<int64_t>& shape, uint64_t seed) {
  return initial_value(Initialiser::normal(1), shape, "numbers", seed, false);
}

class Owner : public Network {
 public:
  Rows forward(const std::vector<at::Tensor>&, const ForwardContext&) override { return {}; }
  Classifier classifier() const override { return {}; }
  int64_t classes() const override { return 0; }
  int64_t penultimate_size() const override { return 0; }
};

struct Norm {
  Owner owner;
  ParameterRegistry registry{owner, 1, false};
  ResidualNorm norm;
  explicit Norm(int64_t width) : norm(registry, "norm", width, 1e-6) {
    owner.parameters()[0].value = numbers({width}, 11).requires_grad_(true);
    owner.parameters()[1].value = numbers({width}, 12).requires_grad_(true);
  }
};

RowDropout dropout_of(double probability, int64_t rows) {
  ForwardContext context;
  context.training = true;
  auto addresses = std::make_shared<RowAddresses>();
  for (int64_t row = 0; row < rows; ++row) {
    addresses->samples.push_back(row / 3);
    addresses->positions.push_back(static_cast<int32_t>(row % 3));
  }
  return {probability, 9, context, addresses};
}

/// Sum, normalised and gradients of stream, branch, weight and bias. Double goes through ATen's layer_norm.
std::vector<at::Tensor> run(int64_t width, at::ScalarType stream_type, at::ScalarType branch_type,
                            double dropout, bool with_branch) {
  Norm made(width);
  const at::Tensor stream = numbers({150, width}, 1).to(stream_type).requires_grad_(true);
  const at::Tensor branch =
      with_branch ? numbers({150, width}, 2).to(branch_type).requires_grad_(true) : at::Tensor();
  const auto result = made.norm(stream, branch, dropout_of(dropout, 150),
                                stream_type == at::kDouble ? at::kDouble : branch_type);
  torch::autograd::backward({(result.sum * numbers({150, width}, 3)).sum().to(at::kFloat) +
                             (result.normalised.to(at::kFloat) * numbers({150, width}, 4)).sum()},
                            {});
  std::vector<at::Tensor> all = {result.sum, result.normalised, stream.grad()};
  if (with_branch) all.push_back(branch.grad());
  for (auto& parameter : made.owner.parameters()) all.push_back(parameter.value.grad());
  for (auto& tensor : all) tensor = tensor.detach().to(at::kDouble);
  return all;
}

TEST(ResidualNorm, EqualsLayerNormOfTheSumWithGradients) {
  for (const int64_t width : {1, 31, 64, 130})
    for (const double dropout : {0.0, 0.25})
      for (const bool branch : {true, false}) {
        const auto naive = run(width, at::kDouble, at::kDouble, dropout, branch),
                   fused = run(width, at::kFloat, at::kFloat, dropout, branch);
        for (size_t i = 0; i < naive.size(); ++i)
          EXPECT_LT((naive[i] - fused[i]).abs().max().item<double>(), 2e-3 * (width == 1 ? 1e4 : 1))
              << width << ' ' << dropout << ' ' << i;
      }
}

TEST(ResidualNorm, Bf16BranchesAreCloseAndTheStreamStaysFloat) {
  const auto naive = run(64, at::kDouble, at::kDouble, 0.1, true),
             bf16 = run(64, at::kFloat, at::kBFloat16, 0.1, true);
  for (size_t i = 0; i < naive.size(); ++i)
    EXPECT_LT((naive[i] - bf16[i]).norm().item<double>(), 0.02 * naive[i].norm().item<double>()) << i;
}

TEST(ResidualNorm, GradientsDoNotDependOnTheNumberOfThreads) {
  const int threads = at::get_num_threads();
  const auto many = run(64, at::kFloat, at::kFloat, 0.1, true);
  at::set_num_threads(1);
  const auto one = run(64, at::kFloat, at::kFloat, 0.1, true);
  at::set_num_threads(threads);
  for (size_t i = 0; i < many.size(); ++i) EXPECT_TRUE(many[i].equal(one[i])) << i;
}

}  // namespace
}  // namespace smoothlab::models
