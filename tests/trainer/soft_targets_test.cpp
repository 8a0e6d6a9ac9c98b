#include "trainer/soft_targets.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "trainer/soft_target_rows.h"

namespace smoothlab::trainer {
namespace {

/// Deterministic logits about [−spread, spread].
at::Tensor some_logits(int64_t rows, int64_t classes, double spread = 3) {
  return at::sin(at::arange(rows * classes, at::kDouble).square() * 0.713 + 0.2)
      .mul(spread)
      .reshape({rows, classes});
}
at::Tensor some_labels(int64_t rows, int64_t classes) {
  return at::arange(rows).mul(7).add(2).remainder(classes);
}
at::Tensor some_counts(int64_t classes) {
  return at::arange(classes).mul(3).add(1);
}

TargetOptions options_of(const std::string& convention, double alpha, double beta) {
  TargetOptions options;
  options.convention = convention;
  options.alpha = alpha;
  options.confidence_penalty = beta;
  return options;
}

/// The matrix of targets, from the definitions.
at::Tensor dense_targets(const std::string& convention, double alpha, const at::Tensor& labels, int64_t k,
                         int64_t padding) {
  const at::Tensor hot = at::one_hot(labels, k).to(at::kDouble);
  const double classes = static_cast<double>(k);
  if (convention == "uniform") return hot * (1 - alpha) + alpha / classes;
  if (convention == "off-target") return hot * (1 - alpha) + (1 - hot) * (alpha / (classes - 1));
  if (convention == "unigram") {
    const at::Tensor counts = some_counts(k).to(at::kDouble);
    return hot * (1 - alpha) + alpha * counts / counts.sum();
  }
  at::Tensor t = hot * (1 - alpha) + (1 - hot) * (alpha / (classes - 2));
  t.select(1, padding).zero_();
  return t;
}

at::Tensor dense_loss(const at::Tensor& logits, const at::Tensor& t, double beta) {
  const at::Tensor log_p = at::log_softmax(logits, 1);
  return -(t * log_p).sum() + beta * (log_p.exp() * log_p).sum();
}

struct Case {
  std::string convention;
  double alpha, beta;
};
const std::vector<Case> cases = {{"uniform", 0, 0},     {"uniform", 0.1, 0},    {"uniform", 1, 0},
                                 {"uniform", 0.1, 0.3}, {"off-target", 0.2, 0}, {"unigram", 0.1, 0},
                                 {"unigram", 0.3, 0.2}, {"joeynmt", 0.1, 0},    {"joeynmt", 0.1, 0.5}};

/// Labels that avoid the padding class, which has index 1.
at::Tensor labels_for(const Case& c, int64_t rows, int64_t k) {
  at::Tensor labels = some_labels(rows, k);
  return c.convention == "joeynmt" ? labels.masked_fill(labels == 1, 0) : labels;
}

TEST(SoftTargets, EqualsCrossEntropyWithDenseTargets) {
  for (const auto& c : cases)
    for (const int64_t k : {3, 10, 37}) {
      const at::Tensor z = some_logits(9, k), y = labels_for(c, 9, k);
      const SoftTargets targets =
          make_soft_targets(options_of(c.convention, c.alpha, c.beta), some_counts(k), 1);
      const double expected =
          dense_loss(z, dense_targets(c.convention, c.alpha, y, k, 1), c.beta).item<double>();
      EXPECT_NEAR(soft_target_loss(z, y, targets).item<double>(), expected, 2e-6) << c.convention << k;
      EXPECT_NEAR(soft_target_loss(z.to(at::kFloat), y, targets).item<double>(), expected, 2e-4)
          << c.convention;
    }
}

TEST(SoftTargets, AgreesWithPyTorch) {
  // torch.nn.functional.cross_entropy(z, y, label_smoothing=a, reduction='sum'), PyTorch 1.13, float64.
  const at::Tensor z =
      at::tensor({1.5, -0.3, 0.2, 2.0, -1.0, 0.0, 0.5, 0.25, 3.0, 3.0, -2.0, 0.0}, at::kDouble)
          .reshape({3, 4});
  const at::Tensor y = at::tensor({3, 0, 2}, at::kLong);
  const double alphas[] = {0, 0.1, 0.5};
  const double expected[] = {8.806832890761713, 8.528082890761713, 7.4130828907617135};
  for (int i = 0; i < 3; ++i) {
    const SoftTargets targets = make_soft_targets(options_of("uniform", alphas[i], 0), some_counts(4));
    EXPECT_NEAR(soft_target_loss(z, y, targets).item<double>(), expected[i], 1e-12);
  }
}

TEST(SoftTargets, GradientEqualsFiniteDifferences) {
  const int64_t rows = 3, k = 19;
  for (const auto& c : cases) {
    const SoftTargets targets =
        make_soft_targets(options_of(c.convention, c.alpha, c.beta), some_counts(k), 1);
    const at::Tensor y = labels_for(c, rows, k);
    const at::Tensor z = some_logits(rows, k).requires_grad_(true);
    const at::Tensor g = torch::autograd::grad({soft_target_loss(z, y, targets) * 2.5}, {z})[0];
    const double h = 1e-5;
    for (int64_t i = 0; i < rows * k; ++i) {
      at::Tensor up = some_logits(rows, k), down = some_logits(rows, k);
      up.view(-1)[i] += h;
      down.view(-1)[i] -= h;
      const double slope =
          (soft_target_loss(up, y, targets) - soft_target_loss(down, y, targets)).item<double>();
      EXPECT_NEAR(g.view(-1)[i].item<double>(), 2.5 * slope / (2 * h), 1e-6) << c.convention << " " << i;
    }
  }
}

TEST(SoftTargets, FloatKernelEqualsDoubleAndOperators) {
  for (const auto& c : cases)
    for (const int64_t k : {3, 16, 100, 1003}) {
      const int64_t rows = 70;
      const SoftTargets targets =
          make_soft_targets(options_of(c.convention, c.alpha, c.beta), some_counts(k), 1);
      const at::Tensor exact = some_logits(rows, k, 12), z = exact.to(at::kFloat), y = labels_for(c, rows, k);
      const RowPass fused = forward_rows(z, y, targets), wide = forward_rows(exact, y, targets);
      const RowPass operators = forward_rows_aten(exact, y, targets);
      EXPECT_NEAR(fused.loss.item<double>() / wide.loss.item<double>(), 1, 1e-5) << c.convention << k;
      EXPECT_NEAR(operators.loss.item<double>() / wide.loss.item<double>(), 1, 1e-9);
      const at::Tensor g = backward_rows(z, y, fused.statistics, targets, 0.5);
      const at::Tensor g_wide = backward_rows(exact, y, wide.statistics, targets, 0.5);
      const at::Tensor g_operators =
          backward_rows_aten(exact, y, operators.statistics, targets, at::scalar_tensor(0.5, at::kDouble));
      EXPECT_LT((g.to(at::kDouble) - g_wide).abs().max().item<double>(), 1e-5) << c.convention << k;
      EXPECT_LT((g_operators - g_wide).abs().max().item<double>(), 1e-9);
      // Gradients of a row sum to zero, whatever the targets.
      EXPECT_LT(g.sum(1).abs().max().item<double>(), 1e-4);
    }
}

TEST(SoftTargets, ExtremeLogitsStayFinite) {
  for (const auto& c : cases)
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      const SoftTargets targets =
          make_soft_targets(options_of(c.convention, c.alpha, c.beta), some_counts(20), 1);
      const at::Tensor z =
          (at::one_hot(at::tensor({4, 7}, at::kLong), 20) * 2e4 - 1e4).to(type).requires_grad_(true);
      const at::Tensor y = at::tensor({4, 5}, at::kLong);
      const at::Tensor loss = soft_target_loss(z, y, targets);
      const at::Tensor g = torch::autograd::grad({loss}, {z})[0];
      EXPECT_TRUE(std::isfinite(loss.item<double>()));
      EXPECT_TRUE(g.isfinite().all().item<bool>());
      // Right by 2e4, and wrong by as much.
      const double expected =
          dense_loss(z.detach().to(at::kDouble), dense_targets(c.convention, c.alpha, y, 20, 1), c.beta)
              .item<double>();
      EXPECT_NEAR(loss.item<double>() / expected, 1, 1e-5) << c.convention;
    }
}

TEST(SoftTargets, WhatIsNotFiniteIsNotHidden) {
  const SoftTargets targets = make_soft_targets(options_of("uniform", 0.1, 0), some_counts(40));
  for (const double bad : {std::nan(""), HUGE_VAL})
    for (const int64_t column : {0, 5, 39}) {
      at::Tensor z = some_logits(3, 40).to(at::kFloat);
      z[1][column] = bad;
      EXPECT_FALSE(std::isfinite(soft_target_loss(z, some_labels(3, 40), targets).item<float>())) << column;
    }
}

TEST(SoftTargets, NoRowsGiveNoLossAndAnEmptyGradient) {
  const SoftTargets targets = make_soft_targets(options_of("uniform", 0.1, 0), some_counts(5));
  const at::Tensor z = at::zeros({0, 5}).requires_grad_(true);
  const at::Tensor loss = soft_target_loss(z, at::zeros({0}, at::kLong), targets);
  EXPECT_EQ(loss.item<float>(), 0.0f);
  EXPECT_EQ(torch::autograd::grad({loss}, {z})[0].sizes(), (at::IntArrayRef{0, 5}));
}

TEST(SoftTargets, RefusesLabelsOutOfRangeAndConventionsThatDoNotFit) {
  const SoftTargets targets = make_soft_targets(options_of("uniform", 0.1, 0), some_counts(5));
  for (const int64_t bad : {5, -1}) {
    const at::Tensor labels = at::full({2}, bad, at::kLong);
    labels[0] = 0;
    try {
      soft_target_loss(at::zeros({2, 5}), labels, targets);
      ADD_FAILURE();
    } catch (const DataError& e) {
      EXPECT_NE(e.where().find("row 1"), std::string::npos);
    }
  }
  EXPECT_THROW(make_soft_targets(options_of("joeynmt", 0.1, 0), some_counts(5)), UsageError);
  EXPECT_THROW(make_soft_targets(options_of("unigram", 0.1, 0), at::zeros({5}, at::kLong)), UsageError);
  EXPECT_THROW(make_soft_targets(options_of("uniform", 0.1, 0), some_counts(1)), UsageError);
}

TEST(SoftTargets, DisturbsLabelsAtTheGivenRate) {
  const int64_t n = 20000, k = 10;
  const at::Tensor labels = some_labels(n, k), ids = at::arange(n);
  const at::Tensor disturbed = disturb_labels(labels, ids, at::Tensor(), k, 0.2, 7, 3);
  // Of the drawn ones 1/K come out as they were: γ(1 − 1/K) = 0.18, standard deviation 0.0027.
  EXPECT_NEAR((disturbed != labels).to(at::kDouble).mean().item<double>(), 0.18, 0.0136);
  const at::Tensor drawn = disturb_labels(labels, ids, at::Tensor(), k, 1, 7, 3);
  const at::Tensor counts = at::bincount(drawn, {}, k);
  EXPECT_LT((counts - n / k).abs().max().item<int64_t>(), 5 * 43);  // 5σ, σ = √(n·0.1·0.9) ≈ 42.4
  EXPECT_TRUE(at::equal(disturb_labels(labels, ids, at::Tensor(), k, 0, 7, 3), labels));
}

TEST(SoftTargets, DisturbanceDependsOnSampleStepAndSeedAlone) {
  const at::Tensor labels = some_labels(400, 10), ids = at::arange(400) + 1000;
  const auto disturb = [&](const at::Tensor& y, const at::Tensor& id, uint64_t seed, int64_t step) {
    return disturb_labels(y, id, at::Tensor(), 10, 0.5, seed, step);
  };
  const at::Tensor whole = disturb(labels, ids, 1, 5);
  const at::Tensor part = disturb(labels.slice(0, 100, 200), ids.slice(0, 100, 200), 1, 5);
  EXPECT_TRUE(at::equal(whole.slice(0, 100, 200), part));
  EXPECT_FALSE(at::equal(whole, disturb(labels, ids, 1, 6)));
  EXPECT_FALSE(at::equal(whole, disturb(labels, ids, 2, 5)));
  // Rows of one sample differ by position.
  const at::Tensor one = at::zeros({400}, at::kLong);
  const at::Tensor by_position = disturb_labels(one, one, at::arange(400, at::kInt), 10, 0.5, 1, 5);
  EXPECT_GT(at::bincount(by_position, {}, 10).min().item<int64_t>(), 0);
}

}  // namespace
}  // namespace smoothlab::trainer
