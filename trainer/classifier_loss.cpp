#include "trainer/classifier_loss.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/soft_target_rows.h"

namespace smoothlab::trainer {
namespace {

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
    const at::Tensor one = at::ones({}, weight.options());
    for (int64_t first = 0; first < rows.size(0); first += chunk) {
      const int64_t count = std::min(chunk, rows.size(0) - first);
      const at::Tensor some = rows.narrow(0, first, count), classes = labels.narrow(0, first, count);
      const at::Tensor logits = at::matmul(some, own.t()).to(weight.scalar_type());
      const bool cpu = logits.is_cpu();
      const RowPass pass =
          cpu ? forward_rows(logits, classes, targets) : forward_rows_aten(logits, classes, targets);
      loss = loss + pass.loss;
      hits = hits + logits.argmax(1).eq(classes).sum();
      const at::Tensor d_logits = (cpu ? backward_rows(logits, classes, pass.statistics, targets, 1.0)
                                       : backward_rows_aten(logits, classes, pass.statistics, targets, one))
                                      .to(rows.scalar_type());
      d_rows.narrow(0, first, count).copy_(at::matmul(d_logits, own));
      d_weight.add_(at::matmul(d_logits.t(), some));
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
