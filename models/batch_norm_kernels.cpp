#include "models/batch_norm_kernels.h"

#include <cstring>
#include <type_traits>

#include "cluster/vector_clones.h"

// Bodies must be inlined into each copy to be compiled for its instruction set.
#define SMOOTHLAB_BODY __attribute__((always_inline)) inline

namespace smoothlab::models::batch_norm_kernels {
namespace {

using c10::BFloat16;
constexpr int64_t kHalf = kLanes / 2;
using Floats = float __attribute__((vector_size(kHalf * sizeof(float))));
using Words = uint32_t __attribute__((vector_size(kHalf * sizeof(uint32_t))));
using Integers = int32_t __attribute__((vector_size(kHalf * sizeof(int32_t))));

/// kLanes numbers. Which half holds which is the business of load and store: for float32 the first and the
/// second sixteen, for bf16 the even and the odd ones, which a shift and a mask take out of a 32-bit word.
struct Lanes {
  Floats half[2];
};

// Vectors go by reference: by value their calling convention would depend on the instruction set.
template <typename To, typename From>
SMOOTHLAB_BODY void same_bits(const From& from, To& to) {
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&to, &from, sizeof(To));
}

SMOOTHLAB_BODY void load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof(to));
}

SMOOTHLAB_BODY void load(const BFloat16* from, Lanes& to) {
  Words words;
  std::memcpy(&words, from, sizeof(words));
  same_bits(words << 16, to.half[0]);
  same_bits(words & 0xffff0000U, to.half[1]);
}

SMOOTHLAB_BODY void store(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}

/// Bits whose upper half is the value rounded to bf16, to nearest, ties to even. A NaN made by arithmetic
/// stays one.
SMOOTHLAB_BODY void round(const Floats& value, Words& words) {
  same_bits(value, words);
  words += 0x7fffU + ((words >> 16) & 1U);
}

SMOOTHLAB_BODY void store(const Lanes& from, BFloat16* to) {
  Words even, odd;
  round(from.half[0], even);
  round(from.half[1], odd);
  const Words words = (even >> 16) | (odd & 0xffff0000U);
  std::memcpy(to, &words, sizeof(words));
}

/// For values that bf16 holds exactly.
SMOOTHLAB_BODY void store_exact(const Lanes& from, BFloat16* to) {
  Words even, odd;
  same_bits(from.half[0], even);
  same_bits(from.half[1], odd);
  const Words words = (even >> 16) | odd;
  std::memcpy(to, &words, sizeof(words));
}

SMOOTHLAB_BODY void store_exact(const Lanes& from, float* to) {
  store(from, to);
}

/// Parameters in the order that load(const T*) gives elements.
template <typename T>
SMOOTHLAB_BODY void load_parameters(const float* from, Lanes& to) {
  load(from, to);
  if constexpr (std::is_same_v<T, BFloat16>) {
    const Lanes row = to;
    to.half[0] = __builtin_shufflevector(row.half[0], row.half[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,
                                         24, 26, 28, 30);
    to.half[1] = __builtin_shufflevector(row.half[0], row.half[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,
                                         25, 27, 29, 31);
  }
}

/// Lanes in the order of their channels.
template <typename T>
SMOOTHLAB_BODY void store_in_order(const Lanes& from, float* to) {
  Lanes row = from;
  if constexpr (std::is_same_v<T, BFloat16>) {
    row.half[0] = __builtin_shufflevector(from.half[0], from.half[1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                          21, 6, 22, 7, 23);
    row.half[1] = __builtin_shufflevector(from.half[0], from.half[1], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                          13, 29, 14, 30, 15, 31);
  }
  store(row, to);
}

// Comparisons are spelt in integers: GCC compiles comparisons of vectors wider than the machine's to scalars.

/// max(0, value), where NaN stays NaN: clears what is negative up to minus infinity, 0xff800000.
SMOOTHLAB_BODY void rectify(Floats& value) {
  Words words;
  Integers negative;
  same_bits(value, words);
  same_bits(words & (words + 0x7fffffU), negative);
  same_bits(negative >> 31, negative);
  Words mask;
  same_bits(negative, mask);
  same_bits(words & ~mask, value);
}

/// Clears the lanes of `value` where `test` is not above zero.
SMOOTHLAB_BODY void keep_where_positive(const Floats& test, Floats& value) {
  Words test_words, words;
  same_bits(test, test_words);
  same_bits(value, words);
  // The sign of the difference from zero, in unsigned arithmetic: −0 has no negative as a signed integer.
  Integers positive;
  same_bits(~test_words & (0U - test_words), positive);
  Words mask;
  same_bits(positive >> 31, mask);
  same_bits(words & mask, value);
}

/// Two sums per channel, each kept twice: alternate rows go to alternate copies, which hides the latency of
/// addition.
struct Sums {
  Lanes first[2], second[2];
};

template <typename T>
SMOOTHLAB_BODY void store(const Sums& sums, int64_t channels, float* to) {
  Lanes first, second;
  for (int half = 0; half < 2; ++half) {
    first.half[half] = sums.first[0].half[half] + sums.first[1].half[half];
    second.half[half] = sums.second[0].half[half] + sums.second[1].half[half];
  }
  store_in_order<T>(first, to);
  store_in_order<T>(second, to + channels);
}

/// Where a row's column stands in x, in dy and in what has no pitch of its own.
struct Place {
  int64_t x, dy, at;
};

SMOOTHLAB_BODY Place whole(const Pitches& pitches, int64_t channels) {
  return {pitches.x > 0 ? pitches.x : channels, pitches.dy > 0 ? pitches.dy : channels, channels};
}

SMOOTHLAB_BODY void advance(Place& place, const Place& pitch) {
  place.x += pitch.x;
  place.dy += pitch.dy;
  place.at += pitch.at;
}

/// step(place, copy) for every row of a column.
template <typename Step>
SMOOTHLAB_BODY void for_rows(int64_t column, int64_t rows, const Place& pitch, const Step& step) {
  Place place{column, column, column};
  int64_t row = 0;
  for (; row + 2 <= rows; row += 2) {
    step(place, 0);
    advance(place, pitch);
    step(place, 1);
    advance(place, pitch);
  }
  if (row < rows) step(place, 0);
}

template <typename T>
SMOOTHLAB_BODY void sum_squares_body(const T* x, int64_t rows, int64_t channels, const float* origin,
                                     float* sums, const Pitches& pitches) {
  const Place pitch = whole(pitches, channels);
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes middle;
    load_parameters<T>(origin + c, middle);
    Sums total = {};
    for_rows(
        c, rows, pitch, [&](const Place& place, int copy) __attribute__((always_inline)) {
          Lanes value;
          load(x + place.x, value);
          for (int half = 0; half < 2; ++half) {
            const Floats difference = value.half[half] - middle.half[half];
            total.first[copy].half[half] += difference;
            total.second[copy].half[half] += difference * difference;
          }
        });
    store<T>(total, channels, sums + c);
  }
}

struct AffineLanes {
  Lanes mean, scale, shift;
};

template <typename T>
SMOOTHLAB_BODY void load_affine(const Affine& affine, int64_t channel, AffineLanes& to) {
  load_parameters<T>(affine.mean + channel, to.mean);
  load_parameters<T>(affine.scale + channel, to.scale);
  load_parameters<T>(affine.shift + channel, to.shift);
}

template <bool kAdd, bool kRelu, typename T>
SMOOTHLAB_BODY void normalise_body(const T* x, const T* residual, T* y, int64_t rows, int64_t channels,
                                   const Affine& affine, const Pitches& pitches) {
  const Place pitch = whole(pitches, channels);
  for (int64_t c = 0; c < channels; c += kLanes) {
    AffineLanes map;
    load_affine<T>(affine, c, map);
    Place place{c, c, c};
    for (int64_t row = 0; row < rows; ++row, advance(place, pitch)) {
      Lanes value, other;
      load(x + place.x, value);
      if constexpr (kAdd) load(residual + place.at, other);
      for (int half = 0; half < 2; ++half) {
        Floats& v = value.half[half];
        v = (v - map.mean.half[half]) * map.scale.half[half] + map.shift.half[half];
        if constexpr (kAdd) v += other.half[half];
        if constexpr (kRelu) rectify(v);
      }
      store(value, y + place.at);
    }
  }
}

template <typename T>
SMOOTHLAB_BODY void normalise_any(const T* x, const T* residual, T* y, int64_t rows, int64_t channels,
                                  const Affine& affine, bool relu, const Pitches& pitches) {
  if (residual) {
    if (relu) {
      normalise_body<true, true>(x, residual, y, rows, channels, affine, pitches);
    } else {
      normalise_body<true, false>(x, residual, y, rows, channels, affine, pitches);
    }
  } else if (relu) {
    normalise_body<false, true>(x, residual, y, rows, channels, affine, pitches);
  } else {
    normalise_body<false, false>(x, residual, y, rows, channels, affine, pitches);
  }
}

template <Mask kMask, typename T>
SMOOTHLAB_BODY void sum_gradients_body(const T* x, const T* dy, const T* y, T* masked, int64_t rows,
                                       int64_t channels, const Affine& affine, float* sums,
                                       const Pitches& pitches) {
  const Place pitch = whole(pitches, channels);
  for (int64_t c = 0; c < channels; c += kLanes) {
    AffineLanes map;
    load_affine<T>(affine, c, map);
    Sums total = {};
    for_rows(
        c, rows, pitch, [&](const Place& place, int copy) __attribute__((always_inline)) {
          Lanes value, g, output;
          load(x + place.x, value);
          load(dy + place.dy, g);
          if constexpr (kMask == Mask::from_output) load(y + place.at, output);
          for (int half = 0; half < 2; ++half) {
            const Floats v = value.half[half] - map.mean.half[half];
            if constexpr (kMask == Mask::from_output) keep_where_positive(output.half[half], g.half[half]);
            if constexpr (kMask == Mask::from_input) {
              keep_where_positive(v * map.scale.half[half] + map.shift.half[half], g.half[half]);
            }
            total.first[copy].half[half] += g.half[half];
            total.second[copy].half[half] += g.half[half] * v;
          }
          if constexpr (kMask != Mask::none) store_exact(g, masked + place.at);
        });
    store<T>(total, channels, sums + c);
  }
}

template <typename T>
SMOOTHLAB_BODY void sum_gradients_any(const T* x, const T* dy, const T* y, T* masked, int64_t rows,
                                      int64_t channels, const Affine& affine, Mask mask, float* sums,
                                      const Pitches& pitches) {
  switch (mask) {
    case Mask::none:
      return sum_gradients_body<Mask::none>(x, dy, y, masked, rows, channels, affine, sums, pitches);
    case Mask::from_output:
      return sum_gradients_body<Mask::from_output>(x, dy, y, masked, rows, channels, affine, sums, pitches);
    case Mask::from_input:
      return sum_gradients_body<Mask::from_input>(x, dy, y, masked, rows, channels, affine, sums, pitches);
  }
}

template <typename T>
SMOOTHLAB_BODY void input_gradient_body(const T* x, const T* g, T* dx, int64_t rows, int64_t channels,
                                        const Gradient& gradient, const Pitches& pitches) {
  const Place pitch = whole(pitches, channels);
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes mean, scale, slope, offset;
    load_parameters<T>(gradient.mean + c, mean);
    load_parameters<T>(gradient.scale + c, scale);
    load_parameters<T>(gradient.slope + c, slope);
    load_parameters<T>(gradient.offset + c, offset);
    Place place{c, c, c};
    for (int64_t row = 0; row < rows; ++row, advance(place, pitch)) {
      Lanes value, dy;
      load(x + place.x, value);
      load(g + place.dy, dy);
      for (int half = 0; half < 2; ++half) {
        Floats& v = value.half[half];
        v = dy.half[half] * scale.half[half] + ((v - mean.half[half]) * slope.half[half] + offset.half[half]);
      }
      store(value, dx + place.at);
    }
  }
}

}  // namespace

// Copies per instruction set cannot be templates.

SMOOTHLAB_VECTOR_CLONES void sum_squares(const float* x, int64_t rows, int64_t channels, const float* origin,
                                         float* sums, const Pitches& pitches) {
  sum_squares_body(x, rows, channels, origin, sums, pitches);
}

SMOOTHLAB_VECTOR_CLONES void sum_squares(const BFloat16* x, int64_t rows, int64_t channels,
                                         const float* origin, float* sums, const Pitches& pitches) {
  sum_squares_body(x, rows, channels, origin, sums, pitches);
}

SMOOTHLAB_VECTOR_CLONES void normalise(const float* x, const float* residual, float* y, int64_t rows,
                                       int64_t channels, const Affine& affine, bool relu,
                                       const Pitches& pitches) {
  normalise_any(x, residual, y, rows, channels, affine, relu, pitches);
}

SMOOTHLAB_VECTOR_CLONES void normalise(const BFloat16* x, const BFloat16* residual, BFloat16* y, int64_t rows,
                                       int64_t channels, const Affine& affine, bool relu,
                                       const Pitches& pitches) {
  normalise_any(x, residual, y, rows, channels, affine, relu, pitches);
}

SMOOTHLAB_VECTOR_CLONES void sum_gradients(const float* x, const float* dy, const float* y, float* masked,
                                           int64_t rows, int64_t channels, const Affine& affine, Mask mask,
                                           float* sums, const Pitches& pitches) {
  sum_gradients_any(x, dy, y, masked, rows, channels, affine, mask, sums, pitches);
}

SMOOTHLAB_VECTOR_CLONES void sum_gradients(const BFloat16* x, const BFloat16* dy, const BFloat16* y,
                                           BFloat16* masked, int64_t rows, int64_t channels,
                                           const Affine& affine, Mask mask, float* sums,
                                           const Pitches& pitches) {
  sum_gradients_any(x, dy, y, masked, rows, channels, affine, mask, sums, pitches);
}

SMOOTHLAB_VECTOR_CLONES void input_gradient(const float* x, const float* g, float* dx, int64_t rows,
                                            int64_t channels, const Gradient& gradient,
                                            const Pitches& pitches) {
  input_gradient_body(x, g, dx, rows, channels, gradient, pitches);
}

SMOOTHLAB_VECTOR_CLONES void input_gradient(const BFloat16* x, const BFloat16* g, BFloat16* dx, int64_t rows,
                                            int64_t channels, const Gradient& gradient,
                                            const Pitches& pitches) {
  input_gradient_body(x, g, dx, rows, channels, gradient, pitches);
}

}  // namespace smoothlab::models::batch_norm_kernels
