#include "trainer/classifier_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

at::Tensor waves(int64_t rows, int64_t columns, double phase) {
  return at::sin(at::arange(rows * columns, at::kDouble).square() * 0.713 + phase).reshape({rows, columns});
}

SoftTargets targets_of(const std::string& convention, double penalty) {
  TargetOptions options;
  options.alpha = 0.1;
  options.convention = convention;
  options.confidence_penalty = penalty;
  return make_soft_targets(options, at::arange(11).add(1), 0);
}

const at::Tensor kLabels = at::tensor({1, 10, 3, 3, 7, 2, 9}, at::kLong);

TEST(ClassifierLoss, GradientsAreThoseOfFiniteDifferences) {
  for (const char* convention : {"uniform", "off-target", "joeynmt", "unigram"})
    for (const double penalty : {0.0, 0.2}) {
      const SoftTargets targets = targets_of(convention, penalty);
      const at::Tensor features = waves(7, 5, 0.2).requires_grad_(true),
                       weight = waves(11, 5, 1.1).requires_grad_(true);
      torch::autograd::backward({classifier_loss(features, weight, kLabels, targets, 3).loss * 2.5}, {});
      for (const at::Tensor& tensor : {features, weight}) {
        const at::Tensor moved = tensor.detach().clone();
        for (int64_t i = 0; i < moved.numel(); ++i) {
          double* value = moved.data_ptr<double>() + i;
          const double kept = *value, h = 1e-5;
          const auto loss_at = [&](double x) {
            *value = x;
            const bool first = tensor.is_same(features);
            return classifier_loss(first ? moved : features.detach(), first ? weight.detach() : moved,
                                   kLabels, targets, 3)
                .loss.item<double>();
          };
          const double slope = 2.5 * (loss_at(kept + h) - loss_at(kept - h)) / (2 * h);
          *value = kept;
          EXPECT_NEAR(tensor.grad().data_ptr<double>()[i], slope, 1e-7) << convention << ' ' << i;
        }
      }
    }
}

TEST(ClassifierLoss, EqualsTheLossOfAllLogitsWhateverTheChunk) {
  const SoftTargets targets = targets_of("uniform", 0);
  const at::Tensor features = waves(7, 5, 0.2).to(at::kFloat), weight = waves(11, 5, 1.1).to(at::kFloat);
  const at::Tensor logits = at::linear(features, weight);
  const float whole = soft_target_loss(logits, kLabels, targets).item<float>();
  for (const int64_t chunk : {1, 2, 7, 100}) {
    const ClassifierLoss both = classifier_loss(features, weight, kLabels, targets, chunk);
    EXPECT_NEAR(both.loss.item<float>(), whole, 1e-4);
    EXPECT_EQ(both.hits.item<int64_t>(), logits.argmax(1).eq(kLabels).sum().item<int64_t>());
  }
}

TEST(ClassifierLoss, Bf16FeaturesGiveBf16GradientsCloseToFloat) {
  const SoftTargets targets = targets_of("uniform", 0);
  const at::Tensor exact = waves(7, 5, 0.2).to(at::kFloat).requires_grad_(true),
                   rounded = exact.detach().to(at::kBFloat16).requires_grad_(true);
  const at::Tensor weight = waves(11, 5, 1.1).to(at::kFloat).requires_grad_(true),
                   other = weight.detach().clone().requires_grad_(true);
  torch::autograd::backward({classifier_loss(exact, weight, kLabels, targets).loss}, {});
  torch::autograd::backward({classifier_loss(rounded, other, kLabels, targets).loss}, {});
  EXPECT_EQ(rounded.grad().scalar_type(), at::kBFloat16);
  EXPECT_EQ(other.grad().scalar_type(), at::kFloat);
  EXPECT_LT((rounded.grad().to(at::kFloat) - exact.grad()).norm().item<float>(),
            0.02 * exact.grad().norm().item<float>());
  EXPECT_LT((other.grad() - weight.grad()).norm().item<float>(), 0.02 * weight.grad().norm().item<float>());
}

TEST(ClassifierLoss, OfEqualLogitsTheFirstIsTheGuess) {
  const at::Tensor labels = at::tensor({0, 1, 0, 10}, at::kLong);
  const ClassifierLoss both =
      classifier_loss(at::ones({4, 5}), at::ones({11, 5}), labels, targets_of("uniform", 0), 3);
  EXPECT_EQ(both.hits.item<int64_t>(), 2);
}

TEST(ClassifierLoss, NamesALabelOutOfRangeAndTakesNoRows) {
  const SoftTargets targets = targets_of("uniform", 0);
  const at::Tensor weight = waves(11, 5, 1.1).to(at::kFloat);
  EXPECT_THROW(classifier_loss(at::ones({1, 5}), weight, at::tensor({11}, at::kLong), targets), DataError);
  EXPECT_EQ(classifier_loss(at::ones({0, 5}), weight, at::empty({0}, at::kLong), targets).loss.item<float>(),
            0);
}

}  // namespace
}  // namespace smoothlab::trainer
