#include "models/fused_batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "models/batch_norm_kernels.h"
#include "models/gpu_batch_norm.h"

namespace smoothlab::models {
namespace {

namespace kernels = batch_norm_kernels;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The kernels' view of a channels-last image: where channels are no multiple of their width, several pixels
/// make one row ("folds" of them), and parameters repeat. The input's rows may be slices of wider ones, whose
/// elements lie `pitch` apart.
struct Rows2d {
  int64_t pixels, channels, folds, pitch;
  int64_t rows() const { return pixels / folds; }
  int64_t width() const { return channels * folds; }
  /// Rows that one sum runs over in float32, and one thread takes at a time: some 16 to 32 KiB.
  int64_t tile() const { return std::max<int64_t>(8192 / width(), 1); }
  int64_t tiles() const { return (rows() + tile() - 1) / tile(); }
};

Rows2d rows_of(const at::Tensor& input) {
  const int64_t channels = input.size(1);
  const int64_t folds = channels > 0 ? kernels::kLanes / std::gcd(kernels::kLanes, channels) : 1;
  const int64_t pitch = input.is_contiguous(at::MemoryFormat::ChannelsLast) ? channels : input.stride(3);
  return {channels > 0 ? input.numel() / channels : 0, channels, folds, pitch * folds};
}

/// Whether these are some channels of a wider channels-last image, in whole rows of the kernels.
bool is_slice(const at::Tensor& tensor) {
  const int64_t pitch = tensor.stride(3), height = tensor.size(2), width = tensor.size(3);
  return tensor.stride(1) == 1 && tensor.size(1) % kernels::kLanes == 0 && pitch >= tensor.size(1) &&
         tensor.stride(2) == width * pitch && tensor.stride(0) == height * width * pitch;
}

bool kernels_take(const at::Tensor& input) {
  if (input.dim() != 4 || !input.device().is_cpu() || input.numel() == 0) return false;
  if (input.scalar_type() != at::kFloat && input.scalar_type() != at::kBFloat16) return false;
  const Rows2d rows = rows_of(input);
  return rows.pixels % rows.folds == 0 &&
         (input.is_contiguous(at::MemoryFormat::ChannelsLast) || is_slice(input));
}

at::Tensor like_rows(const at::Tensor& input) {
  return at::empty_like(input, {}, at::MemoryFormat::ChannelsLast);
}

at::Tensor in_rows(const at::Tensor& tensor, at::ScalarType dtype) {
  return tensor.to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
}

std::vector<float> folded(const std::vector<double>& values, int64_t folds) {
  std::vector<float> result;
  result.reserve(values.size() * static_cast<size_t>(folds));
  for (int64_t fold = 0; fold < folds; ++fold) result.insert(result.end(), values.begin(), values.end());
  return result;
}

/// Calls body(first row, rows, tile) for every tile.
template <typename Body>
void for_tiles(const Rows2d& rows, const Body& body) {
  at::parallel_for(0, rows.tiles(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile * rows.tile();
      body(row, std::min(rows.tile(), rows.rows() - row), tile);
    }
  });
}

/// Two sums per channel over all rows. sum_tile(first row, rows, sums) computes them for one tile in float32;
/// the tiles are added in double and in order, so that threads do not show in the result.
template <typename SumTile>
std::pair<std::vector<double>, std::vector<double>> sum_pairs(const Rows2d& rows, const SumTile& sum_tile) {
  const int64_t width = rows.width();
  std::vector<float> partial(static_cast<size_t>(rows.tiles() * 2 * width));
  for_tiles(rows, [&](int64_t row, int64_t count, int64_t tile) {
    sum_tile(row, count, partial.data() + tile * 2 * width);
  });
  std::vector<double> first(static_cast<size_t>(rows.channels)), second(first.size());
  for (int64_t tile = 0; tile < rows.tiles(); ++tile) {
    const float* sums = partial.data() + tile * 2 * width;
    for (int64_t fold = 0; fold < rows.folds; ++fold, sums += rows.channels) {
      for (int64_t c = 0; c < rows.channels; ++c) {
        first[static_cast<size_t>(c)] += static_cast<double>(sums[c]);
        second[static_cast<size_t>(c)] += static_cast<double>(sums[width + c]);
      }
    }
  }
  return {std::move(first), std::move(second)};
}

struct Moments {
  std::vector<double> mean, variance;  // variance: over n
};

template <typename T>
Moments moments(const at::Tensor& input, const Rows2d& rows) {
  const T* x = input.data_ptr<T>();
  // The first pixel as origin: near enough to the mean for the sums of squares to keep their digits.
  std::vector<double> origin(static_cast<size_t>(rows.channels));
  for (size_t c = 0; c < origin.size(); ++c) origin[c] = static_cast<double>(static_cast<float>(x[c]));
  const std::vector<float> origins = folded(origin, rows.folds);
  auto [sum, squares] = sum_pairs(rows, [&](int64_t row, int64_t count, float* sums) {
    kernels::sum_squares(x + row * rows.pitch, count, rows.width(), origins.data(), sums, {rows.pitch});
  });
  const auto n = static_cast<double>(rows.pixels);
  Moments result{std::move(sum), std::move(squares)};
  for (size_t c = 0; c < origin.size(); ++c) {
    const double shift = result.mean[c] / n;
    result.variance[c] = std::max(result.variance[c] / n - shift * shift, 0.0);
    result.mean[c] = origin[c] + shift;
  }
  return result;
}

std::vector<double> to_doubles(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(at::kFloat).contiguous();
  const float* data = dense.data_ptr<float>();
  return {data, data + dense.numel()};
}

/// What float32 drops of a value; far from zero that is no small part of a deviation.
double dropped(double value) {
  return value - static_cast<double>(static_cast<float>(value));
}

/// mean, weight / √(var + ε) and bias, repeated for the folds; bias makes up for what float32 drops of the
/// mean.
struct FoldedAffine {
  std::vector<float> mean, scale, shift;
  kernels::Affine view() const { return {mean.data(), scale.data(), shift.data()}; }
};

FoldedAffine affine_of(const std::vector<double>& mean, const std::vector<double>& inverse_deviation,
                       const at::Tensor& weight, const at::Tensor& bias, int64_t folds) {
  std::vector<double> scale = to_doubles(weight), shift = to_doubles(bias);
  for (size_t c = 0; c < scale.size(); ++c) {
    scale[c] *= inverse_deviation[c];
    shift[c] -= scale[c] * dropped(mean[c]);
  }
  return {folded(mean, folds), folded(scale, folds), folded(shift, folds)};
}

std::vector<double> inverse_deviations(const std::vector<double>& variance, double epsilon) {
  std::vector<double> result(variance.size());
  std::transform(variance.begin(), variance.end(), result.begin(),
                 [&](double value) { return 1 / std::sqrt(value + epsilon); });
  return result;
}

template <typename T>
at::Tensor normalised(const at::Tensor& input, const at::Tensor& residual, const Rows2d& rows,
                      const FoldedAffine& affine, bool relu) {
  at::Tensor output = like_rows(input);
  const T* x = input.data_ptr<T>();
  const T* added = residual.defined() ? residual.data_ptr<T>() : nullptr;
  T* y = output.data_ptr<T>();
  for_tiles(rows, [&](int64_t row, int64_t count, int64_t) {
    const int64_t at = row * rows.width();
    kernels::normalise(x + row * rows.pitch, added ? added + at : nullptr, y + at, count, rows.width(),
                       affine.view(), relu, {rows.pitch});
  });
  return output;
}

void move_towards(const at::Tensor& running, const std::vector<double>& batch, double momentum,
                  double factor) {
  float* values = running.data_ptr<float>();
  for (size_t c = 0; c < batch.size(); ++c) {
    values[c] =
        static_cast<float>((1 - momentum) * static_cast<double>(values[c]) + momentum * factor * batch[c]);
  }
}

struct Gradients {
  at::Tensor input, residual;
  std::vector<double> weight, bias;
};

/// output_gradient: channels-last or, unless the mask is none, a slice of what is; of the input's dtype.
/// output is needed for a mask from_output.
template <typename T>
Gradients gradients(const at::Tensor& input, const at::Tensor& output, const at::Tensor& output_gradient,
                    const std::vector<double>& mean, const std::vector<double>& inverse_deviation,
                    const FoldedAffine& affine, kernels::Mask mask) {
  const Rows2d rows = rows_of(input);
  Gradients result;
  result.input = like_rows(input);
  // With a residual the masked gradient is the residual's own and outlives this function.
  at::Tensor masked = output_gradient;
  if (mask == kernels::Mask::from_input) masked = result.input;
  if (mask == kernels::Mask::from_output) masked = like_rows(input);
  result.residual = masked;

  const T* x = input.data_ptr<T>();
  const T* dy = output_gradient.data_ptr<T>();
  const T* y = mask == kernels::Mask::from_output ? output.data_ptr<T>() : nullptr;
  T* g = masked.data_ptr<T>();
  const int64_t dy_pitch = rows_of(output_gradient).pitch;
  auto [sum, products] = sum_pairs(rows, [&](int64_t row, int64_t count, float* sums) {
    const int64_t at = row * rows.width();
    kernels::sum_gradients(x + row * rows.pitch, dy + row * dy_pitch, y ? y + at : nullptr, g + at, count,
                           rows.width(), affine.view(), mask, sums, {rows.pitch, dy_pitch});
  });

  // dx = scale · (g − Σg/n − x̂ · Σ(g·x̂)/n), x̂ = (x − mean) / deviation.
  const auto n = static_cast<double>(rows.pixels);
  std::vector<double> slope(mean.size()), offset(mean.size());
  for (size_t c = 0; c < mean.size(); ++c) {
    const auto scale = static_cast<double>(affine.scale[c]);
    products[c] -= sum[c] * dropped(mean[c]);
    slope[c] = -scale * inverse_deviation[c] * inverse_deviation[c] * products[c] / n;
    offset[c] = -scale * sum[c] / n - slope[c] * dropped(mean[c]);
    products[c] *= inverse_deviation[c];
  }
  const std::vector<float> slopes = folded(slope, rows.folds), offsets = folded(offset, rows.folds);
  T* dx = result.input.data_ptr<T>();
  for_tiles(rows, [&](int64_t row, int64_t count, int64_t) {
    const int64_t at = row * rows.width();
    kernels::input_gradient(x + row * rows.pitch, g + at, dx + at, count, rows.width(),
                            {affine.mean.data(), affine.scale.data(), slopes.data(), offsets.data()},
                            {rows.pitch});
  });
  result.weight = std::move(products);
  result.bias = std::move(sum);
  return result;
}

template <typename Body>
auto for_dtype(at::ScalarType dtype, const Body& body) {
  return dtype == at::kFloat ? body(float{}) : body(c10::BFloat16{});
}

at::Tensor to_tensor(const std::vector<double>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

/// Training on the kernels. An empty residual stands for none: a Function takes no undefined tensors.
class TrainedBatchNorm : public torch::autograd::Function<TrainedBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const BatchNormArguments& arguments) {
    const Rows2d rows = rows_of(input);
    const bool added = residual.numel() > 0;
    return for_dtype(input.scalar_type(), [&](auto sample) {
      using T = decltype(sample);
      const Moments batch = moments<T>(input, rows);
      const std::vector<double> inverse_deviation = inverse_deviations(batch.variance, arguments.epsilon);
      const FoldedAffine affine = affine_of(batch.mean, inverse_deviation, weight, bias, rows.folds);
      at::Tensor output = normalised<T>(input, added ? residual : at::Tensor(), rows, affine, arguments.relu);

      const auto n = static_cast<double>(rows.pixels);
      move_towards(arguments.running_mean, batch.mean, arguments.momentum, 1);
      move_towards(arguments.running_var, batch.variance, arguments.momentum, n > 1 ? n / (n - 1) : 1);

      const kernels::Mask mask = !arguments.relu ? kernels::Mask::none
                                 : added         ? kernels::Mask::from_output
                                                 : kernels::Mask::from_input;
      context->save_for_backward(
          {input, mask == kernels::Mask::from_output ? output : at::Tensor(), weight, bias});
      context->saved_data["mean"] = batch.mean;
      context->saved_data["inverse_deviation"] = inverse_deviation;
      context->saved_data["mask"] = static_cast<int64_t>(mask);
      context->saved_data["residual"] = added;
      return output;
    });
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &output = saved[1], &weight = saved[2], &bias = saved[3];
    const std::vector<double> mean = context->saved_data["mean"].toDoubleVector();
    const std::vector<double> inverse_deviation = context->saved_data["inverse_deviation"].toDoubleVector();
    const auto mask = static_cast<kernels::Mask>(context->saved_data["mask"].toInt());
    const at::Tensor& given = output_gradients[0];
    const bool as_it_is =
        mask != kernels::Mask::none && given.scalar_type() == input.scalar_type() && is_slice(given);
    const at::Tensor dy = as_it_is ? given : in_rows(given, input.scalar_type());
    return for_dtype(input.scalar_type(), [&](auto sample) -> variable_list {
      using T = decltype(sample);
      const FoldedAffine affine = affine_of(mean, inverse_deviation, weight, bias, rows_of(input).folds);
      const Gradients g = gradients<T>(input, output, dy, mean, inverse_deviation, affine, mask);
      return {g.input, context->saved_data["residual"].toBool() ? g.residual : at::Tensor(),
              to_tensor(g.weight), to_tensor(g.bias), at::Tensor()};
    });
  }
};

}  // namespace

at::Tensor fused_batch_norm(const at::Tensor& input, const at::Tensor& residual,
                            const BatchNormArguments& arguments) {
  const bool needs_gradient =
      c10::GradMode::is_enabled() &&
      (input.requires_grad() || arguments.weight.requires_grad() || arguments.bias.requires_grad() ||
       (residual.defined() && residual.requires_grad()));
  const bool same_shape = !residual.defined() || residual.sizes() == input.sizes();
  const bool fusible = same_shape && (arguments.training || !needs_gradient);
  if (fusible && gpu_batch_norm_takes(input)) return gpu_batch_norm(input, residual, arguments);
  if (fusible && kernels_take(input)) {
    const at::Tensor added = residual.defined() ? in_rows(residual, input.scalar_type()) : residual;
    if (arguments.training) {
      return TrainedBatchNorm::apply(input, added.defined() ? added : at::empty({0}), arguments.weight,
                                     arguments.bias, arguments);
    }
    const Rows2d rows = rows_of(input);
    const FoldedAffine affine =
        affine_of(to_doubles(arguments.running_mean),
                  inverse_deviations(to_doubles(arguments.running_var), arguments.epsilon), arguments.weight,
                  arguments.bias, rows.folds);
    return for_dtype(input.scalar_type(), [&](auto sample) {
      return normalised<decltype(sample)>(input, added, rows, affine, arguments.relu);
    });
  }
  // ATen's operations on the CPU take no bf16 beside float32 parameters, not in every version and direction.
  const bool widened = input.is_cpu() && input.scalar_type() == at::kBFloat16;
  // Of one value a channel ATen's unbiased variance is not a number. The kernels above take the biased one.
  const bool single = arguments.training && input.numel() == input.size(1);
  if (single) {
    at::NoGradGuard no_gradients;
    arguments.running_mean.lerp_(input.detach().flatten().to(arguments.running_mean.scalar_type()),
                                 arguments.momentum);
    arguments.running_var.mul_(1 - arguments.momentum);
  }
  const at::Tensor unkept;
  at::Tensor output =
      at::batch_norm(widened ? input.to(at::kFloat) : input, arguments.weight, arguments.bias,
                     single ? unkept : arguments.running_mean, single ? unkept : arguments.running_var,
                     arguments.training, arguments.momentum, arguments.epsilon, true);
  if (residual.defined()) output = output + residual;
  if (arguments.relu) output = at::relu(output);
  return widened ? output.to(at::kBFloat16) : output;
}

}  // namespace smoothlab::models
