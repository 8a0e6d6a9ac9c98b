#include "trainer/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "toy_network.h"
#include "trainer/optimizer_kernels.h"

namespace smoothlab::trainer {
namespace {

OptimizerOptions named(const std::string& name) {
  OptimizerOptions options;
  options.name = name;
  options.lr = 0.1;
  return options;
}

/// Five steps from w_i = (i − 2.5)/2 along g_i = cos(1 + i + 2s), learning rates 0.1, 0.1, 0.05, 0.05, 0.01.
std::vector<double> five_steps(const OptimizerOptions& options) {
  ToyNetwork network;
  network.add("w", models::Role::weight, (at::arange(6, at::kFloat) - 2.5f) / 2);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  const auto optimizer = make_optimizer(options, parameters);
  const double factors[] = {1, 1, 0.5, 0.5, 0.1};
  for (int s = 0; s < 5; ++s) {
    at::Tensor gradients = at::zeros_like(parameters.master());
    gradients.narrow(0, 0, 6).copy_(at::cos(at::arange(6, at::kDouble) + 1 + 2 * s));
    optimizer->step(gradients, factors[s]);
  }
  EXPECT_EQ(optimizer->steps_taken(), 5);
  EXPECT_EQ(parameters.master().narrow(0, 6, 10).abs().max().item<float>(), 0) << "gaps stay zero";
  std::vector<double> w;
  for (int64_t i = 0; i < 6; ++i) w.push_back(parameters.master()[i].item<double>());
  return w;
}

void expect_weights(const OptimizerOptions& options, const std::vector<double>& expected) {
  const auto w = five_steps(options);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(w[i], expected[i], 2e-6) << options.name << " " << i;
}

// Figures below: torch.optim of PyTorch 1.13 on the CPU in float64, once, with the same weights, gradients
// and rates; clipping by torch.nn.utils.clip_grad_norm_; the last two from their equations in NumPy.
TEST(Optimizer, SgdAgreesWithPyTorch) {
  OptimizerOptions options = named("sgd");
  expect_weights(options, {-1.2477979, -0.675363752, -0.171549825, 0.260137372, 0.682504316, 1.16692648});
  options.momentum = 0.9;
  options.weight_decay = 0.01;
  expect_weights(options, {-1.26345499, -0.587727674, -0.056796248, 0.297970053, 0.607167395, 1.04328784});
  options.nesterov = true;
  expect_weights(options, {-1.2559548, -0.52749296, 0.00248268618, 0.302355499, 0.552064323, 0.977668545});
}

TEST(Optimizer, ClippedSgdAgreesWithPyTorch) {
  OptimizerOptions options = named("sgd");
  options.momentum = 0.9;
  options.weight_decay = 0.01;
  options.clip_norm = 0.5;
  expect_weights(options, {-1.24935739, -0.698425818, -0.190514769, 0.264171347, 0.704362878, 1.18211643});
}

TEST(Optimizer, AdamAgreesWithPyTorch) {
  OptimizerOptions options = named("adam");
  options.beta2 = 0.98;
  options.epsilon = 1e-9;
  expect_weights(options, {-1.32357722, -0.546251343, -0.0954185234, 0.333746501, 0.553868962, 1.08411367});
  options = named("adam");
  options.weight_decay = 0.01;
  expect_weights(options, {-1.32000712, -0.544966554, -0.0951949064, 0.332902886, 0.552265594, 1.0816315});
  options.decoupled = true;
  expect_weights(options, {-1.31945094, -0.544041871, -0.0950773438, 0.33276056, 0.551512327, 1.08077053});
}

TEST(Optimizer, RmspropAgreesWithPyTorchAndTensorFlow) {
  OptimizerOptions options = named("rmsprop");
  expect_weights(options, {-1.40029275, -0.25003079, -0.025913412, 0.403475676, 0.236303466, 0.996369858});
  options.epsilon = 1e-3;
  options.momentum = 0.9;
  options.weight_decay = 0.01;
  expect_weights(options, {-1.73316171, 0.410070813, 0.347609649, 0.738683587, -0.447715272, 0.585465125});
  options.epsilon = 1;
  options.epsilon_inside = true;
  options.weight_decay = 0;
  expect_weights(options, {-1.23909653, -0.540893447, -0.0452020381, 0.272116494, 0.559701929, 1.03096526});
}

TEST(Optimizer, SmoothedSgdFollowsItsEquation) {
  expect_weights(named("smoothed-sgd"),
                 {-1.25215325, -0.734218165, -0.230792829, 0.254973522, 0.73616724, 1.23007873});
  OptimizerOptions options = named("smoothed-sgd");
  options.momentum = 0.9;
  expect_weights(options, {-1.25215325, -0.734218165, -0.230792829, 0.254973522, 0.73616724, 1.23007873});
}

/// Slices of n elements with the same contents each time.
struct Slices {
  explicit Slices(int64_t n) {
    const at::Tensor i = at::arange(n, at::kDouble);
    slice.weights = at::sin(i).to(at::kFloat);
    slice.gradients = at::cos(i * 1.7).to(at::kFloat);
    slice.working = at::zeros({n}, at::kBFloat16);
    slice.grad_scale = at::scalar_tensor(0.7);
    slice.lr = 0.05;
    slice.l2 = 0.01;
    slice.shrink = 0.99;
    first = at::sin(i * 0.3).to(at::kFloat);
    second = at::sin(i * 0.7).square().to(at::kFloat);
  }
  UpdateSlice slice;
  at::Tensor first, second;
};

template <typename MakeRule>
void expect_kernel_equals_operators(const MakeRule& make) {
  for (const int64_t n : {1, 7, 16, 1000, 70001}) {
    Slices fused(n), operators(n);
    update(fused.slice, make(fused));
    update_aten(operators.slice, make(operators));
    const auto gap = [](const at::Tensor& a, const at::Tensor& b) {
      return (a - b).abs().max().item<double>();
    };
    EXPECT_LT(gap(fused.slice.weights, operators.slice.weights), 1e-5) << n;
    EXPECT_LT(gap(fused.first, operators.first), 2e-6);
    EXPECT_LT(gap(fused.second, operators.second), 2e-6);
    EXPECT_TRUE(at::equal(fused.slice.working, fused.slice.weights.to(at::kBFloat16)))
        << "round to nearest even";
    EXPECT_GT(gap(fused.slice.weights, Slices(n).slice.weights), 1e-3);
  }
}

TEST(Optimizer, FusedKernelsEqualOperators) {
  for (const bool nesterov : {false, true})
    expect_kernel_equals_operators([=](const Slices& s) {
      return MomentumRule{s.first, 0.9, 0.5, nesterov};
    });
  expect_kernel_equals_operators([](const Slices&) { return MomentumRule{}; });
  expect_kernel_equals_operators(
      [](const Slices& s) { return AdamRule{s.first, s.second, 0.9, 0.99, 1e-3, 0.3, 0.2}; });
  for (const bool inside : {false, true})
    for (const bool momentum : {false, true})
      expect_kernel_equals_operators([=](const Slices& s) {
        return RmspropRule{s.second, momentum ? s.first : at::Tensor(), 0.9, 1e-2, 0.8, inside};
      });
}

TEST(Optimizer, ThreadsDoNotChangeABit) {
  const int before = at::get_num_threads();
  Slices one(200003), four(200003);
  at::set_num_threads(1);
  update(one.slice, AdamRule{one.first, one.second});
  at::set_num_threads(4);
  update(four.slice, AdamRule{four.first, four.second});
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.slice.weights, four.slice.weights));
}

TEST(Optimizer, NotANumberReachesTheWorkingCopy) {
  Slices s(20);
  s.slice.gradients[3] = std::numeric_limits<float>::quiet_NaN();
  s.slice.gradients[5] = std::numeric_limits<float>::infinity();
  update(s.slice, MomentumRule{});
  EXPECT_TRUE(s.slice.working[3].isnan().item<bool>());
  EXPECT_TRUE(s.slice.working[5].isinf().item<bool>());
}

void fill(ToyNetwork& network) {
  network.add("conv1.weight", models::Role::weight, at::ones({16}));
  network.add("conv1.bias", models::Role::bias, at::ones({16}));
  network.add("norm.scale", models::Role::norm_scale, at::ones({5}), true);
  network.add("norm.bias", models::Role::norm_bias, at::ones({5}), true);
  network.add("local3.weight", models::Role::weight, at::ones({20}));
  network.add("local4.weight", models::Role::weight, at::ones({20}));
  network.add("fc.weight", models::Role::weight, at::ones({4}), true);
}

TEST(Optimizer, DecayGoesToWeightsAndNeighboursAreMerged) {
  ToyNetwork network;
  fill(network);
  const FlatParameters parameters(network, at::kFloat, at::kCPU);
  OptimizerOptions options = named("sgd");
  options.weight_decay = 0.5;
  auto segments = make_segments(options, parameters);
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].weight_decay, 0.5);
  EXPECT_EQ(segments[0].end, 16);
  EXPECT_EQ(segments[1].weight_decay, 0);
  EXPECT_EQ(segments[1].begin, 16);
  EXPECT_EQ(segments[1].end, parameters.layout().offset(3) + 5);
  EXPECT_EQ(segments[2].weight_decay, 0.5);
  EXPECT_EQ(segments[2].end, parameters.layout().offset(6) + 4);
  options.decay_norm_and_bias = true;
  EXPECT_EQ(make_segments(options, parameters).size(), 1u);
}

TEST(Optimizer, GroupsMatchPrefixesAndGlobsAndTheFirstCounts) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  OptimizerOptions options = named("sgd");
  options.groups = {{"local3", 1, 0.04}, {"local*.weight", 3, -1}, {"*bias", 0, -1}};
  options.weight_decay = 0.25;
  const auto optimizer = make_optimizer(options, parameters);
  at::Tensor gradients = at::zeros_like(parameters.master());
  for (int64_t i = 0; i < parameters.count(); ++i) parameters.layout().view(gradients, i).fill_(1);
  optimizer->step(gradients, 0.5);
  const auto after = [&](int64_t i) { return parameters.master_view(i).view(-1)[0].item<float>(); };
  EXPECT_FLOAT_EQ(after(0), 1 - 0.05f * 1.25f);
  EXPECT_FLOAT_EQ(after(1), 1);
  EXPECT_FLOAT_EQ(after(2), 1 - 0.05f);
  EXPECT_FLOAT_EQ(after(3), 1);
  EXPECT_FLOAT_EQ(after(4), 1 - 0.05f * 1.04f);
  EXPECT_FLOAT_EQ(after(5), 1 - 0.15f * 1.25f);
  EXPECT_FLOAT_EQ(after(6), 1 - 0.05f * 1.25f);
}

TEST(Optimizer, AGroupsOwnDecayGoesToItsBiasesAndNormsToo) {
  ToyNetwork network;
  fill(network);
  const FlatParameters parameters(network, at::kFloat, at::kCPU);
  OptimizerOptions options = named("sgd");
  options.weight_decay = 0.25;
  options.groups = {{"*", 1, 0.125}};
  auto segments = make_segments(options, parameters);
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].weight_decay, 0.125);
  options.groups = {{"*", 1, 0}};
  EXPECT_EQ(make_segments(options, parameters)[0].weight_decay, 0);
}

TEST(Optimizer, AGroupThatMatchesNothingNamesTheParameters) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  OptimizerOptions options = named("adam");
  options.groups = {{"conv", 1, -1}, {"dense*", 1, -1}};
  try {
    make_optimizer(options, parameters);
    ADD_FAILURE();
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("'dense*'"), testing::HasSubstr("groups[1]"),
                                         testing::HasSubstr("local4.weight")));
  }
}

TEST(Optimizer, AnotherLayoutMidwayChangesNoWeight) {
  for (const char* name : {"sgd", "adam", "rmsprop", "smoothed-sgd"}) {
    OptimizerOptions options = named(name);
    if (options.name == "sgd") options.momentum = 0.9;
    options.weight_decay = 0.1;
    std::vector<at::Tensor> results;
    for (const bool move : {false, true}) {
      ToyNetwork network;
      fill(network);
      FlatParameters parameters(network, at::kBFloat16, at::kCPU);
      const auto optimizer = make_optimizer(options, parameters);
      for (int s = 0; s < 4; ++s) {
        if (move && s == 2) {
          parameters.adopt(cluster::FlatLayout(parameters.leaves(), {6, 2, 0, 1, 5, 4, 3}));
          optimizer->adopt_layout();
        }
        at::Tensor gradients = at::zeros_like(parameters.master());
        for (int64_t i = 0; i < parameters.count(); ++i)
          parameters.layout().view(gradients, i).fill_(0.1 * static_cast<double>(i + 1) - 0.05 * s);
        optimizer->step(gradients, 1);
      }
      std::vector<at::Tensor> weights;
      for (int64_t i = 0; i < parameters.count(); ++i) {
        weights.push_back(parameters.master_view(i).reshape(-1));
        EXPECT_TRUE(at::equal(parameters.leaves()[static_cast<size_t>(i)].to(at::kFloat),
                              parameters.master_view(i)
                                  .to(parameters.leaves()[static_cast<size_t>(i)].scalar_type())
                                  .to(at::kFloat)));
      }
      results.push_back(at::cat(weights));
    }
    EXPECT_TRUE(at::equal(results[0], results[1])) << name;
  }
}

TEST(Optimizer, ReportsTheNormBeforeClipping) {
  ToyNetwork network;
  network.add("w", models::Role::weight, at::zeros({2}));
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  OptimizerOptions options = named("sgd");
  options.lr = 1;
  options.clip_norm = 1;
  const auto optimizer = make_optimizer(options, parameters);
  at::Tensor gradients = at::zeros_like(parameters.master());
  gradients[0] = 3;
  gradients[1] = 4;
  optimizer->step(gradients, 1);
  EXPECT_FLOAT_EQ(optimizer->gradient_norm().item<float>(), 5);
  EXPECT_FLOAT_EQ(parameters.master()[0].item<float>(), -0.6f);
  EXPECT_FLOAT_EQ(parameters.master()[1].item<float>(), -0.8f);
}

}  // namespace
}  // namespace smoothlab::trainer
