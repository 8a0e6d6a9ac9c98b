#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/fused_batch_norm.h"
#include "reference_values.h"

namespace smoothlab::test {

using models::BatchNormArguments;
using models::fused_batch_norm;

/// One normalisation with all that it reads and gives.
struct Problem {
  at::Tensor x, residual, weight, bias, dy;
};

struct Result {
  at::Tensor y, dx, dresidual, dweight, dbias, mean, variance;
};

inline Problem problem(int64_t channels, double offset, bool residual,
                       std::vector<int64_t> size = {4, 6, 6}) {
  const std::vector<int64_t> shape{size[0], channels, size[1], size[2]};
  Problem result;
  result.x = (hashed_values(shape, 1, 2) + offset).contiguous(at::MemoryFormat::ChannelsLast);
  if (residual) result.residual = hashed_values(shape, 2, 1).contiguous(at::MemoryFormat::ChannelsLast);
  result.weight = hashed_values({channels}, 3, 0.5) + 1;
  result.bias = hashed_values({channels}, 4, 0.5);
  result.dy = hashed_values(shape, 5, 1).contiguous(at::MemoryFormat::ChannelsLast);
  return result;
}

inline Problem on(c10::Device device, Problem given) {
  for (at::Tensor* tensor : {&given.x, &given.residual, &given.weight, &given.bias, &given.dy})
    if (tensor->defined()) *tensor = tensor->to(device);
  return given;
}

inline at::Tensor leaf(const at::Tensor& tensor, at::ScalarType dtype) {
  return tensor.defined() ? tensor.to(dtype).clone().set_requires_grad(true) : tensor;
}

/// given.x as it is, whatever it is made of, and another gradient of the output.
template <typename Forward>
Result run_on(const Problem& given, at::ScalarType activations, at::ScalarType parameters,
              const Forward& forward, const at::Tensor& dy) {
  const at::Tensor x = given.x, residual = leaf(given.residual, activations);
  BatchNormArguments arguments;
  arguments.weight = leaf(given.weight, parameters);
  arguments.bias = leaf(given.bias, parameters);
  arguments.running_mean = at::full_like(given.weight, 0.5).to(parameters);
  arguments.running_var = at::full_like(given.weight, 2).to(parameters);
  arguments.training = true;
  Result result;
  result.y = forward(x, residual, arguments);
  torch::autograd::backward({result.y}, {dy.to(activations)});
  if (x.is_leaf()) result.dx = x.grad();
  if (residual.defined()) result.dresidual = residual.grad();
  result.dweight = arguments.weight.grad();
  result.dbias = arguments.bias.grad();
  result.mean = arguments.running_mean;
  result.variance = arguments.running_var;
  return result;
}

template <typename Forward>
Result run(const Problem& given, at::ScalarType activations, at::ScalarType parameters,
           const Forward& forward) {
  Problem on_leaf = given;
  on_leaf.x = leaf(given.x, activations);
  return run_on(on_leaf, activations, parameters, forward, given.dy);
}

inline Result fused(const Problem& given, at::ScalarType dtype, bool relu) {
  return run(given, dtype, at::kFloat,
             [&](const at::Tensor& x, const at::Tensor& residual, BatchNormArguments a) {
               a.relu = relu;
               return fused_batch_norm(x, residual, a);
             });
}

/// ATen's own operations in double on the same (rounded) inputs.
inline Result reference(const Problem& given, at::ScalarType dtype, bool relu) {
  Problem rounded = given;
  rounded.x = given.x.to(dtype);
  if (given.residual.defined()) rounded.residual = given.residual.to(dtype);
  rounded.dy = given.dy.to(dtype);
  return run(rounded, at::kDouble, at::kDouble,
             [&](const at::Tensor& x, const at::Tensor& residual, const BatchNormArguments& a) {
               at::Tensor y = at::batch_norm(x, a.weight, a.bias, a.running_mean, a.running_var, true,
                                             a.momentum, a.epsilon, false);
               if (residual.defined()) y = y + residual;
               return relu ? at::relu(y) : y;
             });
}

inline void expect_near(const Result& result, const Result& expected, double activations, double sums) {
  EXPECT_LT(relative_difference(result.y, expected.y), activations);
  EXPECT_LT(relative_difference(result.dx, expected.dx), activations);
  if (expected.dresidual.defined()) {
    EXPECT_LT(relative_difference(result.dresidual, expected.dresidual), activations);
  }
  EXPECT_LT(relative_difference(result.dweight, expected.dweight), sums);
  EXPECT_LT(relative_difference(result.dbias, expected.dbias), sums);
  EXPECT_LT(relative_difference(result.mean, expected.mean), sums);
  EXPECT_LT(relative_difference(result.variance, expected.variance), sums);
}

}  // namespace smoothlab::test
