#include "trainer/soft_targets.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "trainer/soft_target_rows.h"

namespace smoothlab::trainer {
namespace {

class SoftTargetLoss : public torch::autograd::Function<SoftTargetLoss> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& labels, const SoftTargets& targets) {
    const RowPass pass =
        logits.is_cpu() ? forward_rows(logits, labels, targets) : forward_rows_aten(logits, labels, targets);
    context->save_for_backward({logits, labels, pass.statistics, targets.base_per_class});
    context->saved_data["peak"] = targets.peak;
    context->saved_data["base"] = targets.base;
    context->saved_data["penalty"] = targets.confidence_penalty;
    return pass.loss;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const SoftTargets targets{context->saved_data["peak"].toDouble(), context->saved_data["base"].toDouble(),
                              saved[3], context->saved_data["penalty"].toDouble()};
    const at::Tensor& logits = saved[0];
    const at::Tensor gradient =
        logits.is_cpu() ? backward_rows(logits, saved[1], saved[2], targets, gradients[0].item<double>())
                        : backward_rows_aten(logits, saved[1], saved[2], targets, gradients[0]);
    return {gradient, at::Tensor(), at::Tensor()};
  }
};

[[noreturn]] void does_not_fit(const std::string& convention, const std::string& why,
                               const std::string& remedy) {
  throw UsageError(fmt::format("convention '{}' {}", convention, why), "targets.convention", remedy);
}

}  // namespace

SoftTargets make_soft_targets(const TargetOptions& options, const at::Tensor& class_counts,
                              int64_t padding_class) {
  const int64_t classes = class_counts.numel();
  const double alpha = options.alpha, k = static_cast<double>(classes);
  if (classes < 2)
    does_not_fit(options.convention, fmt::format("needs at least 2 classes, not {}", classes),
                 "check the data set");
  SoftTargets targets;
  targets.confidence_penalty = options.confidence_penalty;
  if (options.convention == "uniform") {
    targets.base = alpha / k;
    targets.peak = 1 - alpha;
  } else if (options.convention == "off-target") {
    targets.base = alpha / (k - 1);
    targets.peak = 1 - alpha - targets.base;
  } else if (options.convention == "joeynmt") {
    if (padding_class < 0 || padding_class >= classes || classes < 3)
      does_not_fit(options.convention, "needs a padding class, which this task has not", "take off-target");
    const double share = alpha / (k - 2);
    targets.base_per_class = at::full({classes}, share, at::kFloat);
    targets.base_per_class[padding_class] = 0;
    targets.peak = 1 - alpha - share;
  } else if (options.convention == "unigram") {
    const at::Tensor counts = class_counts.to(at::kDouble);
    const double total = counts.sum().item<double>();
    if (!(total > 0)) does_not_fit(options.convention, "needs the classes' counts", "check the data set");
    targets.base_per_class = (counts * (alpha / total)).to(at::kFloat);
    targets.peak = 1 - alpha;
  } else {
    does_not_fit(options.convention, "is unknown", "take uniform, off-target, unigram or joeynmt");
  }
  return targets;
}

void check_labels(const at::Tensor& labels, int64_t classes) {
  if (!labels.is_cpu()) return;
  const at::Tensor all = labels.contiguous();
  const int64_t* label = all.data_ptr<int64_t>();
  for (int64_t r = 0; r < all.numel(); ++r)
    if (label[r] < 0 || label[r] >= classes)
      throw DataError(fmt::format("label {} is not in 0 ... {}", label[r], classes - 1),
                      fmt::format("row {} of the batch", r), "check that data set and model fit");
}

at::Tensor soft_target_loss(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets) {
  const at::Tensor rows = (logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat)).contiguous();
  const at::Tensor classes = labels.contiguous();
  check_labels(classes, rows.size(1));
  return SoftTargetLoss::apply(rows, classes, targets);
}

at::Tensor disturb_labels(const at::Tensor& labels, const at::Tensor& sample_ids, const at::Tensor& positions,
                          int64_t classes, double probability, uint64_t seed, int64_t step) {
  if (probability == 0) return labels;
  at::Tensor result = labels.contiguous().clone();
  const at::Tensor ids = sample_ids.contiguous();
  const at::Tensor places = positions.defined() ? positions.contiguous() : at::Tensor();
  int64_t* label = result.data_ptr<int64_t>();
  const int64_t* id = ids.data_ptr<int64_t>();
  const int32_t* place = places.defined() ? places.data_ptr<int32_t>() : nullptr;
  for (int64_t r = 0; r < result.numel(); ++r) {
    const AddressedRandom random(seed, Purpose::label_noise, static_cast<uint64_t>(step),
                                 static_cast<uint64_t>(id[r]));
    const uint32_t draw = place == nullptr ? 0 : 2 * static_cast<uint32_t>(place[r]);
    if (random.uniform(draw) < probability)
      label[r] = static_cast<int64_t>(random.below(static_cast<uint64_t>(classes), draw + 1));
  }
  return result;
}

}  // namespace smoothlab::trainer
