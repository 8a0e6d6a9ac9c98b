// The loops of row_kernels.h. row_kernels.cpp includes this file once for every instruction set, in a
// namespace and under a target of its own, with SMOOTHLAB_LANES floats to a vector: so no include guard on
// purpose, and no includes, which would be compiled for the wrong machine. Written with the vector types of
// GCC and Clang.

constexpr int64_t width = SMOOTHLAB_LANES;
constexpr int64_t block = 1024;

using Floats = float __attribute__((vector_size(4 * width)));
using Ints = int32_t __attribute__((vector_size(4 * width)));
using Bits = uint32_t __attribute__((vector_size(4 * width)));

static inline Floats all(float value) {
  return value - Floats{};
}

static inline Floats load(const float* from) {
  Floats v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

// What the vector types cannot say in one instruction.
#if defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 16
using Mask = __mmask16;
static inline Floats larger(Floats a, Floats b) {
  return (Floats)_mm512_maskz_max_ps(0xFFFF, (__m512)a, (__m512)b);
}
static inline Mask less(Floats a, Floats b) {
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
}
static inline uint32_t bits(Mask mask) {
  return mask;
}
static inline Floats add_where(Mask mask, Floats sum, Floats v) {
  return (Floats)_mm512_mask_add_ps((__m512)sum, mask, (__m512)sum, (__m512)v);
}
static inline Floats add_square_where(Mask mask, Floats sum, Floats v) {
  return (Floats)_mm512_mask3_fmadd_ps((__m512)v, (__m512)v, (__m512)sum, mask);
}
#else
using Mask = Ints;
static inline Mask less(Floats a, Floats b) {
  return a < b;
}
static inline Floats add_where(Mask mask, Floats sum, Floats v) {
  return sum + (mask ? v : Floats{});
}
static inline Floats add_square_where(Mask mask, Floats sum, Floats v) {
  return sum + (mask ? v * v : Floats{});
}
#if defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 8
static inline Floats larger(Floats a, Floats b) {
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
}
static inline uint32_t bits(Mask mask) {
  return static_cast<uint32_t>(_mm256_movemask_ps((__m256)mask));
}
#else
static inline Floats larger(Floats a, Floats b) {
  return a > b ? a : b;
}
/// One bit a lane.
static inline uint32_t bits(Mask mask) {
  uint32_t bits = 0;
  for (int i = 0; i < width; ++i) bits |= static_cast<uint32_t>(mask[i] & 1) << i;
  return bits;
}
#endif
#endif

/// The last values of a row, and a filler after them.
static inline Floats load_tail(const float* from, int64_t count, float filler) {
  Floats v = all(filler);
  __builtin_memcpy(&v, from, static_cast<size_t>(count) * sizeof(float));
  return v;
}

/// step(v, k) for the values k … k + width − 1 in begin … end − 1, −∞ after the last.
template <typename Step>
static inline void each_vector(const float* z, int64_t begin, int64_t end, const Step& step) {
  int64_t k = begin;
  for (; k + width <= end; k += width) step(load(z + k), k);
  if (k < end) step(load_tail(z + k, end - k, -__builtin_inff()), k);
}

// Lanes are folded onto each other down to four: half onto half, so that no register is spilled.
#if SMOOTHLAB_LANES == 16
using Floats8 = float __attribute__((vector_size(32)));
using Ints8 = int32_t __attribute__((vector_size(32)));
static inline Floats8 folded16(Floats v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}
static inline Ints8 folded16(Ints v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}
#elif SMOOTHLAB_LANES == 8
using Floats8 = Floats;
using Ints8 = Ints;
static inline Floats8 folded16(Floats v) {
  return v;
}
static inline Ints8 folded16(Ints v) {
  return v;
}
#endif
using Floats4 = float __attribute__((vector_size(16)));
using Ints4 = int32_t __attribute__((vector_size(16)));
#if SMOOTHLAB_LANES > 4
template <typename Narrow, typename Wide>
static inline Narrow folded(Wide wide) {
  const auto v = folded16(wide);
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
#else
template <typename Narrow, typename Wide>
static inline Narrow folded(Wide v) {
  return v;
}
#endif

static inline double total(Floats v) {
  const Floats4 four = folded<Floats4>(v);
  return (static_cast<double>(four[0]) + static_cast<double>(four[2])) +
         (static_cast<double>(four[1]) + static_cast<double>(four[3]));
}

/// How many lanes of many masks are set.
#if defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 16
class Count {
 public:
  void add(Mask mask) { set_ += __builtin_popcount(mask); }
  int64_t total() const { return set_; }

 private:
  int64_t set_ = 0;
};
#else
class Count {
 public:
  void add(Mask mask) { set_ -= mask; }
  int64_t total() const {
    const Ints4 four = folded<Ints4>(set_);
    return static_cast<int64_t>(four[0]) + four[1] + four[2] + four[3];
  }

 private:
  Ints set_{};
};
#endif

/// exp(beta · d), beta · d ≤ 0; 0 below −87, −∞ included. As a power of two: 2^y = 2^⌊y⌋ · p(y − ⌊y⌋), p of
/// degree 5 fitted on 0 … 1 for the least relative error, 8·10⁻⁸, with p(0) = 1. y is rounded to single
/// precision, which makes the relative error grow with |beta · d|: by 6·10⁻⁸ a unit, while the share of the
/// sum falls as its exponential.
struct Exponent {
  float binary;  // beta · log₂ e
  explicit Exponent(float beta) : binary(beta * 1.44269504F) {}
};

static inline Floats exponential(Floats d, Exponent exponent) {
  const Floats y = d * exponent.binary;
#if defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 16
  const Floats f = (Floats)_mm512_maskz_reduce_ps(0xFFFF, (__m512)y, _MM_FROUND_TO_NEG_INF);
#else
  const Floats shift = all(12582912.0F);  // 1.5 · 2²³: adding it rounds to an integer
  const Floats shifted = (y - 0.5F) + shift;
  const Floats f = y - (shifted - shift);
#endif
  const Floats square = f * f;
  const Floats low = f * 0.693151295F + 1.0F, middle = f * 0.0557999127F + 0.240164444F;
  const Floats high = f * 0.00186713005F + 0.00901703071F;
  const Floats p = (high * square + middle) * square + low;
#if defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 16
  return (Floats)_mm512_maskz_scalef_ps(0xFFFF, (__m512)p, (__m512)y);
#else
  // The integer sits in the low bits of `shifted`, under bits that are shifted out; into the exponent it
  // goes.
  const Bits power = ((Bits)shifted << 23) + (Bits)p;
  return y < -125.0F ? Floats{} : (Floats)power;
#endif
}

bool finite(const float* values, int64_t n) {
  Floats sum{}, other{};  // of 0 · value: NaN once a value is NaN or infinite
  int64_t k = 0;
  for (; k + 2 * width <= n; k += 2 * width) {
    sum += load(values + k) * 0.0F;
    other += load(values + k + width) * 0.0F;
  }
  float rest = 0;
  for (; k < n; ++k) rest += values[k] * 0.0F;
  return static_cast<float>(total(sum + other)) + rest == 0.0F;
}

/// Differences below this are cut off: far below where exp is 0, and its square is still finite.
constexpr float lowest = -1e18F;

static inline Floats below_maximum(Floats z, float maximum) {
  const Floats d = z - maximum;
  return larger(d, all(lowest));
}

// The label's value is beaten by what is greater, and by an equal that comes before it.
RowRank rank(const float* z, int64_t n, int64_t label) {
  const float value = z[label], value_or_more = __builtin_nextafterf(value, -__builtin_inff());
  Floats most = all(-__builtin_inff()), zero{};  // 0 · v summed: NaN once a value is NaN or infinite
  Count before;
  const Floats first_limit = all(value_or_more), last_limit = all(value);
  Floats limit_at_label = last_limit;
  const int64_t vector_of_label = label / width * width;
  for (int64_t k = vector_of_label; k < label; ++k) limit_at_label[k - vector_of_label] = value_or_more;
  const auto limit = [&](int64_t k) {
    return k < vector_of_label ? first_limit : k > vector_of_label ? last_limit : limit_at_label;
  };
  each_vector(z, 0, n, [&](Floats v, int64_t k) {
    most = larger(v, most);
    before.add(less(limit(k), v));
    // The filler of the last vector is not finite.
    zero += (k + width <= n ? v : load_tail(z + k, n - k, 0)) * 0.0F;
  });
  float maximum = most[0];
  for (int i = 1; i < width; ++i) maximum = most[i] > maximum ? most[i] : maximum;
  return {maximum, before.total(), total(zero) == 0};
}

static inline int64_t end_of_block(int64_t begin, int64_t n) {
  return begin + block < n ? begin + block : n;
}

RowSums exponentials(const float* z, int64_t n, float maximum, float beta, float* e) {
  const int64_t whole = (n + width - 1) / width * width;
  RowSums sums{whole, 0, 0};
  for (int64_t k = whole; k < RowKernels::padded(n); ++k) e[k] = 0;
  Count below;
  const Exponent exponent(beta);
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{};
    each_vector(z, begin, end_of_block(begin, n), [&](Floats v, int64_t k) {
      const Floats power = exponential(v - maximum, exponent);
      __builtin_memcpy(e + k, &power, sizeof power);
      const Mask other = less(v, all(maximum));
      below.add(other);
      rest = add_where(other, rest, power);
      squares = add_square_where(other, squares, power);
    });
    sums.rest += total(rest);
    sums.squares += total(squares);
  }
  sums.ties -= below.total();
  return sums;
}

RowSumsOfTwo exponentials_of_two(const float* z, int64_t n, float maximum, float beta, float other, float* e,
                                 float* other_e) {
  const int64_t whole = (n + width - 1) / width * width;
  RowSumsOfTwo sums{{whole, 0, 0}, {whole, 0, 0}};
  for (int64_t k = whole; k < RowKernels::padded(n); ++k) e[k] = other_e[k] = 0;
  const float distance = other - beta;
  const Exponent exponent(beta);
  // Below this the first is 0, and the polynomial, whose argument is at most 1/50 of its, still finite.
  const Floats cut = all(-150.0F / beta);
  Count below;
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{}, other_rest{}, other_squares{};
    each_vector(z, begin, end_of_block(begin, n), [&](Floats v, int64_t k) {
      const Floats d = larger(v - maximum, cut);
      const Floats power = exponential(d, exponent);
      // 1 + r + … + r⁵/120: r is at most 1/50 of the first exponent.
      const Floats r = d * distance;
      const Floats square = r * r;
      const Floats low = r + 1.0F, middle = r * (1.0F / 6) + 0.5F, high = r * (1.0F / 120) + 1.0F / 24;
      const Floats other_power = power * ((high * square + middle) * square + low);
      __builtin_memcpy(e + k, &power, sizeof power);
      __builtin_memcpy(other_e + k, &other_power, sizeof other_power);
      const Mask not_top = less(d, Floats{});
      below.add(not_top);
      rest = add_where(not_top, rest, power);
      squares = add_square_where(not_top, squares, power);
      other_rest = add_where(not_top, other_rest, other_power);
      other_squares = add_square_where(not_top, other_squares, other_power);
    });
    sums.first.rest += total(rest);
    sums.first.squares += total(squares);
    sums.second.rest += total(other_rest);
    sums.second.squares += total(other_squares);
  }
  sums.first.ties -= below.total();
  sums.second.ties = sums.first.ties;
  return sums;
}

/// `cheap`: β is 8 steps, and e^(βd) comes from squaring e^(step·d) three times rather than a second
/// exponential. The exponentials of a block are taken first: one loop of both has a chain of dependence so
/// long that the processor cannot look ahead far enough to fill it.
template <bool cheap>
static inline RowMoments moments_of(const float* z, int64_t n, float maximum, SlopeNodes nodes) {
  RowMoments sums{};
  const Exponent exponent(nodes.beta), step_exponent(nodes.step);
  Floats factors[block / width];
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t end = end_of_block(begin, n);
    each_vector(z, begin, end, [&](Floats v, int64_t k) {
      factors[(k - begin) / width] = exponential(below_maximum(v, maximum), step_exponent);
    });
    Floats zeroth[SlopeNodes::count] = {}, first[SlopeNodes::count] = {}, second[SlopeNodes::count] = {};
    each_vector(z, begin, end, [&](Floats v, int64_t k) {
      const Floats d = below_maximum(v, maximum);
      const Floats factor = factors[(k - begin) / width], factor2 = factor * factor;
      Floats powers[SlopeNodes::count];
      if constexpr (cheap) {
        const Floats factor4 = factor2 * factor2;
        powers[0] = factor4 * factor4;
      } else {
        powers[0] = exponential(d, exponent);
      }
      powers[1] = powers[0] * factor;
      powers[2] = powers[0] * factor2;
      powers[3] = powers[1] * factor2;
      for (int node = 0; node < SlopeNodes::count; ++node) {
        const Floats weighted = powers[node] * d;
        zeroth[node] += powers[node];
        first[node] += weighted;
        second[node] += weighted * d;
      }
    });
    for (size_t node = 0; node < SlopeNodes::count; ++node) {
      sums.zeroth[node] += total(zeroth[node]);
      sums.first[node] += total(first[node]);
      sums.second[node] += total(second[node]);
    }
  }
  return sums;
}

RowMoments moments(const float* z, int64_t n, float maximum, SlopeNodes nodes) {
  return nodes.beta == SlopeNodes::cheap_ratio * nodes.step ? moments_of<true>(z, n, maximum, nodes)
                                                            : moments_of<false>(z, n, maximum, nodes);
}

int64_t add_scaled(const float* e, int64_t n, float scale, float threshold, float* column, int32_t* above) {
  const Floats limit = all(threshold);
  int64_t found = 0;
  for (int64_t k = 0; k < n; k += width) {
    const Floats power = load(e + k);
    const Floats sum = load(column + k) + power * scale;
    __builtin_memcpy(column + k, &sum, sizeof sum);
    for (uint32_t left = bits(less(limit, power)); left != 0; left &= left - 1) {
      const int64_t at = k + __builtin_ctz(left);
      if (at < n) above[found++] = static_cast<int32_t>(at);
    }
  }
  return found;
}
