#include "models/row_dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <cstring>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "cluster/side_stream.h"
#include "cluster/vector_clones.h"
#include "models/bfloat16.h"
#include "models/kernel_types.h"

namespace smoothlab::models {
namespace {

/// Numbers that sixteen blocks of random bits decide about, 16 bits each.
constexpr int64_t kGroup = 128;
constexpr uint64_t kPlaceBlocks = uint64_t{1} << 24;

/// Lower halves of sixteen words, then their upper halves.
SMOOTHLAB_VECTOR_CLONES void factors_of(const uint32_t* words, uint32_t threshold, float scale,
                                        float* factors) {
  for (int64_t w = 0; w < 4; ++w) {
    for (int64_t i = 0; i < 16; ++i) {
      const uint32_t word = words[16 * w + i];
      factors[32 * w + i] = (word & 0xFFFFu) < threshold ? 0.0F : scale;
      factors[32 * w + 16 + i] = (word >> 16) < threshold ? 0.0F : scale;
    }
  }
}

SMOOTHLAB_VECTOR_CLONES void multiply(const float* in, const float* factors, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = in[i] * factors[i];
}
SMOOTHLAB_VECTOR_CLONES void multiply(const c10::BFloat16* in, const float* factors, int64_t n,
                                      c10::BFloat16* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(to_float(in[i]) * factors[i]);
}

/// relu(in) · factors. A NaN stays one: the loss is to show it.
SMOOTHLAB_VECTOR_CLONES void rectify(const float* in, const float* factors, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = in[i] <= 0 ? 0.0F : in[i] * factors[i];
}
SMOOTHLAB_VECTOR_CLONES void rectify(const c10::BFloat16* in, const float* factors, int64_t n,
                                     c10::BFloat16* out) {
  for (int64_t i = 0; i < n; ++i) {
    const float x = to_float(in[i]);
    out[i] = to_bfloat16(x <= 0 ? 0.0F : x * factors[i]);
  }
}

/// Where `out` is above 0, gradient · scale.
SMOOTHLAB_VECTOR_CLONES void rectify_back(const float* gradient, const float* out, float scale, int64_t n,
                                          float* result) {
  for (int64_t i = 0; i < n; ++i) result[i] = out[i] > 0 ? gradient[i] * scale : 0.0F;
}
SMOOTHLAB_VECTOR_CLONES void rectify_back(const c10::BFloat16* gradient, const c10::BFloat16* out,
                                          float scale, int64_t n, c10::BFloat16* result) {
  for (int64_t i = 0; i < n; ++i)
    result[i] = to_bfloat16(to_float(out[i]) > 0 ? to_float(gradient[i]) * scale : 0.0F);
}

/// kernel(in, factors, n, out) on each row with its mask.
template <typename Kernel>
at::Tensor with_masks(const at::Tensor& input, const RowDropout& dropout, const Kernel& kernel) {
  const at::Tensor dense = input.contiguous(), output = at::empty_like(dense);
  const int64_t units = dense.size(1);
  with_type(dense.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* in = dense.data_ptr<T>();
    T* out = output.data_ptr<T>();
    at::parallel_for(0, dense.size(0), 16, [&](int64_t begin, int64_t end) {
      std::vector<float> factors(static_cast<size_t>(units), 1.0F);
      for (int64_t row = begin; row < end; ++row) {
        if (dropout.active()) dropout.mask(row, units, factors.data());
        kernel(in + row * units, factors.data(), units, out + row * units);
      }
    });
  });
  return output;
}

at::Tensor times_mask(const at::Tensor& input, const RowDropout& dropout) {
  if (!has_kernels(input)) return times_factors(input, dropout.mask(input.size(0), input.size(1)));
  return with_masks(input, dropout, [](auto... arguments) { multiply(arguments...); });
}

class DropRows : public torch::autograd::Function<DropRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const RowDropout& dropout) {
    context->saved_data["dropout"] = Carried<RowDropout>::wrap(dropout);
    return times_mask(input, dropout);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {times_mask(gradients[0], Carried<RowDropout>::unwrap(context->saved_data["dropout"])),
            at::Tensor()};
  }
};

class ReluAndDropRows : public torch::autograd::Function<ReluAndDropRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const RowDropout& dropout) {
    const at::Tensor output = with_masks(input, dropout, [](auto... arguments) { rectify(arguments...); });
    context->save_for_backward({output});
    context->saved_data["scale"] = static_cast<double>(dropout.scale());
    return output;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor output = context->get_saved_variables()[0], gradient = gradients[0].contiguous();
    const auto scale = static_cast<float>(context->saved_data["scale"].toDouble());
    const at::Tensor result = at::empty_like(gradient);
    with_type(output.scalar_type(), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      const T *from = gradient.data_ptr<T>(), *out = output.data_ptr<T>();
      T* to = result.data_ptr<T>();
      at::parallel_for(0, output.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
        rectify_back(from + begin, out + begin, scale, end - begin, to + begin);
      });
    });
    return {result, at::Tensor()};
  }
};

}  // namespace

RowDropout::RowDropout(double probability, uint32_t place, const ForwardContext& context,
                       std::shared_ptr<const RowAddresses> rows)
    : place_(place), seed_(context.seed), step_(context.step), rows_(std::move(rows)) {
  if (!context.training) return;
  threshold_ = static_cast<uint32_t>(std::lround(probability * 65536));
  scale_ = static_cast<float>(1 / (1 - static_cast<double>(threshold_) / 65536));
}

void RowDropout::line_mask(int64_t row, int64_t line, int64_t count, float* factors) const {
  uint64_t block = static_cast<uint64_t>((count + kGroup - 1) / kGroup * 16) * static_cast<uint64_t>(line);
  if (block + static_cast<uint64_t>(count + kGroup) / 8 > kPlaceBlocks)
    throw RunError("a sentence is too long for dropout", "sample " + std::to_string(rows_->samples[row]),
                   "leave longer sentences out when the corpus is prepared");
  const AddressedRandom random(seed_, Purpose::dropout, static_cast<uint64_t>(step_),
                               static_cast<uint64_t>(rows_->samples[static_cast<size_t>(row)]));
  uint32_t words[64];
  float rest[kGroup];
  for (int64_t done = 0; done < count; done += kGroup, block += 16) {
    random.sixteen_blocks(static_cast<uint32_t>(place_ * kPlaceBlocks + block), words);
    const bool whole = count - done >= kGroup;
    factors_of(words, threshold_, scale_, whole ? factors + done : rest);
    if (!whole) std::memcpy(factors + done, rest, static_cast<size_t>(count - done) * sizeof(float));
  }
}

void RowDropout::mask(int64_t row, int64_t units, float* factors) const {
  line_mask(row, rows_->positions[static_cast<size_t>(row)], units, factors);
}

at::Tensor RowDropout::mask(int64_t rows, int64_t units) const {
  const at::Tensor factors = at::empty({rows, units}, at::kFloat);
  for (int64_t row = 0; row < rows; ++row) mask(row, units, factors.data_ptr<float>() + row * units);
  return factors;
}

at::Tensor times_factors(const at::Tensor& input, const at::Tensor& factors) {
  return (input * cluster::upload(factors, input.device())).to(input.scalar_type());
}

at::Tensor drop_rows(const at::Tensor& input, const RowDropout& dropout) {
  return dropout.active() ? DropRows::apply(input, dropout) : input;
}

at::Tensor relu_and_drop_rows(const at::Tensor& input, const RowDropout& dropout) {
  if (has_kernels(input)) return ReluAndDropRows::apply(input, dropout);
  return drop_rows(at::relu(input), dropout);
}

}  // namespace smoothlab::models
