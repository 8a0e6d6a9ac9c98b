#include "trainer/distillation_loss.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::trainer {
namespace {

struct LossAndGradient {
  at::Tensor loss, gradient;
};

LossAndGradient mean_square(const at::Tensor& logits, const at::Tensor& teacher) {
  const at::Tensor difference = logits - teacher;
  const double classes = static_cast<double>(logits.size(1));
  return {difference.square().sum(at::kDouble).mul(0.5 / classes), difference / classes};
}

/// factor·H(softmax(teacher/of_teacher), softmax(logits/of_student))
LossAndGradient cross_entropy(const at::Tensor& logits, const at::Tensor& teacher, double of_student,
                              double of_teacher, double factor) {
  const at::Tensor log_p = at::log_softmax(of_student == 1 ? logits : logits / of_student, 1);
  const at::Tensor targets = at::softmax(of_teacher == 1 ? teacher : teacher / of_teacher, 1);
  const at::Tensor loss = (targets * log_p).sum(at::kDouble).mul(-factor);
  return {loss, log_p.exp().sub_(targets).mul_(factor / of_student)};
}

LossAndGradient evaluate(const at::Tensor& logits, const at::Tensor& teacher, DistillationKind kind,
                         double temperature) {
  switch (kind) {
    case DistillationKind::paper:
      return cross_entropy(logits, teacher, 1, temperature, 1);
    case DistillationKind::hinton:
      return cross_entropy(logits, teacher, temperature, temperature, temperature * temperature);
    case DistillationKind::logit_mse:
      break;
  }
  return mean_square(logits, teacher);
}

class DistillationLoss : public torch::autograd::Function<DistillationLoss> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& teacher, int64_t kind, double temperature) {
    const LossAndGradient result =
        evaluate(logits, teacher, static_cast<DistillationKind>(kind), temperature);
    context->save_for_backward({result.gradient});
    return result.loss.to(logits.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {context->get_saved_variables()[0] * gradients[0], at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

DistillationKind distillation_kind(const std::string& name) {
  if (name == "paper") return DistillationKind::paper;
  if (name == "hinton") return DistillationKind::hinton;
  if (name == "logit-mse") return DistillationKind::logit_mse;
  throw UsageError("unknown loss '" + name + "'", "teacher.loss",
                   suggest_name(name, {"paper", "hinton", "logit-mse"}));
}

at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& teacher, DistillationKind kind,
                             double temperature) {
  const at::Tensor rows = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  return DistillationLoss::apply(rows, teacher.detach().to(rows.scalar_type()), static_cast<int64_t>(kind),
                                 temperature);
}

}  // namespace smoothlab::trainer
