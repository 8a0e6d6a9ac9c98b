#include "trainer/classifier_loss.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "models/bfloat16.h"
#include "trainer/soft_target_rows.h"

namespace smoothlab::trainer {
namespace {

/// What a chunk of rows gives.
struct ChunkPass {
  at::Tensor loss, hits;
  at::Tensor d_logits;  ///< [R, K] of the features' type
};

ChunkPass pass_of(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets,
                  at::ScalarType type) {
  if (logits.is_cpu()) {
    const RowPass pass = forward_rows(logits, labels, targets);
    return {pass.loss, at::scalar_tensor(count_hits(logits, labels, pass.statistics), labels.options()),
            backward_rows(logits, labels, pass.statistics, targets, 1.0, type)};
  }
  const RowPass pass = forward_rows_aten(logits, labels, targets);
  return {
      pass.loss, logits.argmax(1).eq(labels).sum(),
      backward_rows_aten(logits, labels, pass.statistics, targets, at::ones({}, logits.options())).to(type)};
}

/// sum += term. ATen would first make a copy of a bf16 term as float32, the size of the classifier.
void add_to(const at::Tensor& sum, const at::Tensor& term) {
  if (!term.is_cpu() || term.scalar_type() != at::kBFloat16) {
    sum.add_(term);
    return;
  }
  float* to = sum.data_ptr<float>();
  const at::BFloat16* from = term.data_ptr<at::BFloat16>();
  at::parallel_for(0, sum.numel(), at::internal::GRAIN_SIZE, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] += models::to_float(from[i]);
  });
}

class ChunkedLoss : public torch::autograd::Function<ChunkedLoss> {
 public:
  /// Gradients are made here, as long as a chunk's logits are at hand; backward() only scales them.
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& features, const at::Tensor& weight,
                                                const at::Tensor& labels, const SoftTargets& targets,
                                                int64_t chunk) {
    const at::Tensor rows = features.contiguous(), own = weight.to(rows.scalar_type());
    const at::Tensor d_rows = at::empty_like(rows), d_weight = at::zeros_like(weight);
    at::Tensor loss = at::zeros({}, weight.options()), hits = at::zeros({}, labels.options());
    for (int64_t first = 0; first < rows.size(0); first += chunk) {
      const int64_t count = std::min(chunk, rows.size(0) - first);
      const at::Tensor some = rows.narrow(0, first, count);
      const ChunkPass pass = pass_of(at::matmul(some, own.t()).to(weight.scalar_type()),
                                     labels.narrow(0, first, count), targets, rows.scalar_type());
      loss = loss + pass.loss;
      hits = hits + pass.hits;
      d_rows.narrow(0, first, count).copy_(at::matmul(pass.d_logits, own));
      add_to(d_weight, at::matmul(pass.d_logits.t(), some));
    }
    context->save_for_backward({d_rows, d_weight});
    context->mark_non_differentiable({hits});
    return {loss, hits};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& scale = gradients[0];
    return {saved[0] * scale.to(saved[0].scalar_type()), saved[1] * scale, at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

ClassifierLoss classifier_loss(const at::Tensor& features, const at::Tensor& weight, const at::Tensor& labels,
                               const SoftTargets& targets, int64_t chunk) {
  check_labels(labels, weight.size(0));
  const auto results = ChunkedLoss::apply(features, weight, labels.contiguous(), targets, chunk);
  return {results[0], results[1]};
}

}  // namespace smoothlab::trainer
