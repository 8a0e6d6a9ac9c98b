#include "models/packed_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/initialisation.h"

namespace smoothlab::models {
namespace {

const Offsets kQueries = {0, 3, 4, 24}, kKeys = {0, 17, 19, 20};

at::Tensor numbers(const std::vector<int64_t>& shape, uint64_t seed) {
  return initial_value(Initialiser::normal(1), shape, "numbers", seed, false);
}

AttentionShape shape_of(bool self, bool causal, double dropout) {
  AttentionShape shape;
  shape.heads = 3;
  shape.causal = causal;
  shape.queries = kQueries;
  shape.keys = self ? kQueries : kKeys;
  ForwardContext context;
  context.training = true;
  context.seed = 5;
  auto rows = std::make_shared<RowAddresses>();
  for (size_t sentence = 0; sentence + 1 < kQueries.size(); ++sentence)
    for (int64_t i = kQueries[sentence]; i < kQueries[sentence + 1]; ++i) {
      rows->samples.push_back(static_cast<int64_t>(40 + sentence));
      rows->positions.push_back(static_cast<int32_t>(i - kQueries[sentence]));
    }
  shape.dropout = RowDropout(dropout, 3, context, rows);
  return shape;
}

/// Result and gradients of Σ result·weights.
std::vector<at::Tensor> run(const AttentionShape& shape, const at::Tensor& q, const at::Tensor& kv,
                            at::ScalarType type) {
  const at::Tensor a = q.to(type).requires_grad_(true);
  const at::Tensor b = kv.defined() ? kv.to(type).requires_grad_(true) : kv;
  const at::Tensor result = b.defined() ? cross_attention(a, b, shape) : self_attention(a, shape);
  const at::Tensor weights = numbers({result.size(0), result.size(1)}, 9).to(type);
  torch::autograd::backward({(result * weights).sum()}, {});
  std::vector<at::Tensor> all = {result.detach().to(at::kDouble), a.grad().to(at::kDouble)};
  if (b.defined()) all.push_back(b.grad().to(at::kDouble));
  return all;
}

/// Double goes through ATen's operations, sentence by sentence and with a mask.
void expect_as_naive(const AttentionShape& shape, const at::Tensor& q, const at::Tensor& kv) {
  const auto naive = run(shape, q, kv, at::kDouble), fused = run(shape, q, kv, at::kFloat),
             bf16 = run(shape, q, kv, at::kBFloat16);
  for (size_t i = 0; i < naive.size(); ++i) {
    EXPECT_LT((naive[i] - fused[i]).abs().max().item<double>(), 2e-5) << i;
    EXPECT_LT((naive[i] - bf16[i]).abs().max().item<double>(), 0.1) << i;
    EXPECT_GT(naive[i].abs().max().item<double>(), 0.5) << i;
  }
}

TEST(PackedAttention, SelfEqualsTheNaiveOneWithGradients) {
  for (const bool causal : {false, true})
    for (const double dropout : {0.0, 0.3})
      expect_as_naive(shape_of(true, causal, dropout), numbers({24, 3 * 3 * 20}, 1), at::Tensor());
}

TEST(PackedAttention, CrossEqualsTheNaiveOneWithGradients) {
  for (const double dropout : {0.0, 0.3})
    expect_as_naive(shape_of(false, false, dropout), numbers({24, 3 * 16}, 2), numbers({20, 2 * 3 * 16}, 3));
}

TEST(PackedAttention, ASentenceDoesNotDependOnItsBatch) {
  const at::Tensor rows = numbers({24, 3 * 3 * 16}, 4);
  AttentionShape shape = shape_of(true, true, 0);
  const at::Tensor all = self_attention(rows, shape);
  shape.queries = shape.keys = {0, 20};
  EXPECT_TRUE(self_attention(rows.narrow(0, 4, 20), shape).equal(all.narrow(0, 4, 20)));
}

}  // namespace
}  // namespace smoothlab::models
