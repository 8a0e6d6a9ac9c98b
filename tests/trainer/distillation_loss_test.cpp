#include "trainer/distillation_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

const DistillationKind kinds[] = {DistillationKind::paper, DistillationKind::hinton,
                                  DistillationKind::logit_mse};

/// −Σ a_k log b_k of two logit rows at their temperatures, by the book.
double cross_entropy(const std::vector<double>& teacher, double of_teacher,
                     const std::vector<double>& student, double of_student) {
  const auto normaliser = [](const std::vector<double>& z, double t) {
    double sum = 0;
    for (const double value : z) sum += std::exp(value / t);
    return sum;
  };
  double result = 0;
  for (size_t k = 0; k < teacher.size(); ++k)
    result -= std::exp(teacher[k] / of_teacher) / normaliser(teacher, of_teacher) *
              (student[k] / of_student - std::log(normaliser(student, of_student)));
  return result;
}

at::Tensor rows_of(const std::vector<std::vector<double>>& rows) {
  at::Tensor result =
      at::empty({static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows[0].size())}, at::kDouble);
  for (size_t r = 0; r < rows.size(); ++r)
    for (size_t k = 0; k < rows[r].size(); ++k)
      result[static_cast<int64_t>(r)][static_cast<int64_t>(k)] = rows[r][k];
  return result;
}

TEST(DistillationLoss, IsWhatItsFormulaSays) {
  const std::vector<std::vector<double>> z = {{1, -2, 0.5}, {0, 3, 1}}, v = {{2, 1, -1}, {-0.5, 4, 0}};
  const double t = 2.5;
  double paper = 0, hinton = 0, squares = 0;
  for (size_t r = 0; r < z.size(); ++r) {
    paper += cross_entropy(v[r], t, z[r], 1);
    hinton += t * t * cross_entropy(v[r], t, z[r], t);
    for (size_t k = 0; k < z[r].size(); ++k) squares += 0.5 / 3 * (z[r][k] - v[r][k]) * (z[r][k] - v[r][k]);
  }
  const double expected[] = {paper, hinton, squares};
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(distillation_loss(rows_of(z), rows_of(v), kinds[i], t).item<double>(), expected[i], 1e-12)
        << i;
}

TEST(DistillationLoss, GradientsAreFiniteDifferences) {
  const at::Tensor teacher = rows_of({{2, 1, -1, 0.3}, {-0.5, 4, 0, 1}, {0, 0, 0, 0}});
  const at::Tensor z = rows_of({{1, -2, 0.5, 0}, {0, 3, 1, -1}, {5, -5, 2, 0.1}});
  for (const auto kind : kinds)
    for (const double temperature : {0.7, 1.0, 4.0}) {
      const at::Tensor leaf = z.clone().requires_grad_(true);
      // Scaled, as the learner scales it by the rows of the global batch.
      const at::Tensor factor = at::full({}, 0.25, at::kDouble);
      torch::autograd::backward({distillation_loss(leaf, teacher, kind, temperature)}, {factor});
      const double step = 1e-6;
      for (int64_t r = 0; r < z.size(0); ++r)
        for (int64_t k = 0; k < z.size(1); ++k) {
          at::Tensor above = z.clone(), below = z.clone();
          above[r][k] += step;
          below[r][k] -= step;
          const double slope = (distillation_loss(above, teacher, kind, temperature).item<double>() -
                                distillation_loss(below, teacher, kind, temperature).item<double>()) /
                               (2 * step);
          EXPECT_NEAR(leaf.grad()[r][k].item<double>(), 0.25 * slope, 1e-7)
              << static_cast<int>(kind) << " at " << temperature;
        }
    }
}

TEST(DistillationLoss, HasNoGradientWhereStudentAndTeacherAgree) {
  const at::Tensor z = rows_of({{1, -2, 0.5}, {0, 3, 1}});
  for (const auto kind : kinds) {
    const at::Tensor leaf = z.clone().requires_grad_(true);
    torch::autograd::backward({distillation_loss(leaf, z, kind, 1)});
    EXPECT_LT(leaf.grad().abs().max().item<double>(), 1e-15);
  }
}

/// Why Hinton's convention has its T²: the teacher's pull neither fades nor grows with T.
TEST(DistillationLoss, HintonsFactorKeepsTheScaleOfTheGradient) {
  const at::Tensor z = rows_of({{1, -2, 0.5}}), v = rows_of({{2, 1, -1}});
  const auto pull = [&](double temperature) {
    const at::Tensor leaf = z.clone().requires_grad_(true);
    torch::autograd::backward({distillation_loss(leaf, v, DistillationKind::hinton, temperature)});
    return leaf.grad().clone();
  };
  // As T grows it becomes that of centred logits: (z − mean z − v + mean v)/K.
  const at::Tensor limit = ((z - z.mean()) - (v - v.mean())) / 3;
  EXPECT_LT((pull(1e4) - limit).abs().max().item<double>(), 1e-3);
}

TEST(DistillationLoss, TakesEveryPrecisionAndNoRows) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor z = at::tensor({1.0F, -2.0F, 0.5F, 0.0F, 3.0F, 1.0F}).reshape({2, 3}).to(type);
    for (const auto kind : kinds) {
      const at::Tensor loss = distillation_loss(z, z.to(at::kFloat) + 1, kind, 2);
      EXPECT_EQ(loss.scalar_type(), at::kFloat);
      EXPECT_EQ(distillation_loss(z.slice(0, 0, 0), z.slice(0, 0, 0), kind, 2).item<float>(), 0.0F);
    }
  }
  EXPECT_THROW(distillation_kind("papers"), UsageError);
  EXPECT_EQ(distillation_kind("logit-mse"), DistillationKind::logit_mse);
}

}  // namespace
}  // namespace smoothlab::trainer
