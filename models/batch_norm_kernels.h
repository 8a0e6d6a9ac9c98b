#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

/// Inner loops of batch normalisation over rows of channels: element (row, channel) stands at
/// row · channels + channel, as in a channels-last image. One pass over memory each. channels must be a
/// multiple of kLanes (fewer channels: take several rows as one); statistics and parameters are float32
/// [channels].
namespace smoothlab::models::batch_norm_kernels {

constexpr int64_t kLanes = 32;

/// relu(x) passes gradients where its output is positive. Either the output is at hand, or it is
/// (x − mean) · scale + shift.
enum class Mask { none, from_output, from_input };

/// What maps an input to its normalised value: (x − mean) · scale + shift.
struct Affine {
  const float* mean;
  const float* scale;
  const float* shift;
};

/// Elements from one row of x or dy to the next where they are slices of wider rows; 0: channels.
struct Pitches {
  int64_t x = 0, dy = 0;
};

/// sums[c] = Σ (x − origin), sums[channels + c] = Σ (x − origin)². Any value near the mean serves as origin;
/// it keeps the difference of squares exact enough for float32 sums over some hundred rows.
void sum_squares(const float* x, int64_t rows, int64_t channels, const float* origin, float* sums,
                 const Pitches& pitches = {});
void sum_squares(const c10::BFloat16* x, int64_t rows, int64_t channels, const float* origin, float* sums,
                 const Pitches& pitches = {});

/// y = (x − mean) · scale + shift, plus residual where it is not null, then max(0, ·) where relu. NaN stays
/// NaN.
void normalise(const float* x, const float* residual, float* y, int64_t rows, int64_t channels,
               const Affine& affine, bool relu, const Pitches& pitches = {});
void normalise(const c10::BFloat16* x, const c10::BFloat16* residual, c10::BFloat16* y, int64_t rows,
               int64_t channels, const Affine& affine, bool relu, const Pitches& pitches = {});

/// With g = dy where the mask lets it pass, else 0: sums[c] = Σ g, sums[channels + c] = Σ g · (x − mean).
/// Unless the mask is none, g goes to `masked`, which may be dy. Only from_output reads y.
void sum_gradients(const float* x, const float* dy, const float* y, float* masked, int64_t rows,
                   int64_t channels, const Affine& affine, Mask mask, float* sums,
                   const Pitches& pitches = {});
void sum_gradients(const c10::BFloat16* x, const c10::BFloat16* dy, const c10::BFloat16* y,
                   c10::BFloat16* masked, int64_t rows, int64_t channels, const Affine& affine, Mask mask,
                   float* sums, const Pitches& pitches = {});

/// dx = g · scale + (x − mean) · slope + offset; dx may be g.
struct Gradient {
  const float* mean;
  const float* scale;
  const float* slope;
  const float* offset;
};
void input_gradient(const float* x, const float* g, float* dx, int64_t rows, int64_t channels,
                    const Gradient& gradient, const Pitches& pitches = {});
void input_gradient(const c10::BFloat16* x, const c10::BFloat16* g, c10::BFloat16* dx, int64_t rows,
                    int64_t channels, const Gradient& gradient, const Pitches& pitches = {});

}  // namespace smoothlab::models::batch_norm_kernels
