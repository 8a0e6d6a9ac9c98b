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
static inline Floats larger(Floats a, Floats b) {
  return (Floats)_mm512_maskz_max_ps(0xFFFF, (__m512)a, (__m512)b);
}
static inline uint32_t at_least(Floats a, Floats b) {
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ);
}
#elif defined(SMOOTHLAB_ROW_KERNELS_X86) && SMOOTHLAB_LANES == 8
static inline Floats larger(Floats a, Floats b) {
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
}
static inline uint32_t at_least(Floats a, Floats b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GE_OQ)));
}
#else
static inline Floats larger(Floats a, Floats b) {
  return a > b ? a : b;
}
/// One bit a lane.
static inline uint32_t at_least(Floats a, Floats b) {
  const Ints mask = a >= b;
  uint32_t bits = 0;
  for (int i = 0; i < width; ++i) bits |= static_cast<uint32_t>(mask[i] & 1) << i;
  return bits;
}
#endif

/// The last values of a row, and a filler after them.
static inline Floats load_tail(const float* from, int64_t count, float filler) {
  Floats v = all(filler);
  __builtin_memcpy(&v, from, static_cast<size_t>(count) * sizeof(float));
  return v;
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

static inline int64_t total(Ints v) {
  const Ints4 four = folded<Ints4>(v);
  return static_cast<int64_t>(four[0]) + four[1] + four[2] + four[3];
}

/// beta, and beta · log₂ e.
struct Exponent {
  float beta, binary;
  explicit Exponent(float value) : beta(value), binary(value * 1.44269504F) {}
};

/// exp(beta · d), beta · d ≤ 0, to 2 units in the last place; 0 below −87, −∞ included. With x = n·log 2 + r,
/// n the nearest integer, exp(r) = 1 + r + r²·q(r); q of degree 4 was fitted on |r| ≤ log(2)/2 for the least
/// relative error of exp(r), which is 4·10⁻⁹. Written for short chains of dependence: latency, and not the
/// number of operations, is what this waits for.
static inline Floats exponential(Floats d, Exponent exponent) {
  const Floats shift = all(12582912.0F);  // 1.5 · 2²³: adding it rounds to an integer
  const Floats shifted = d * exponent.binary + shift;
  const Floats x = d * exponent.beta;
  const Floats n = shifted - shift;
  const Floats r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  const Floats square = r * r;
  const Floats low = r * 0.166665211F + 0.49999994F, high = r * 0.00836874545F + 0.041668389F;
  const Floats q = (square * 0.00138145406F + high) * square + low;
  const Floats p = square * q + (r + 1.0F);
  // n sits in the low bits of `shifted`, under bits that are shifted out; into the exponent it goes.
  const Bits bits = ((Bits)shifted << 23) + (Bits)p;
  return x < -87.0F ? Floats{} : (Floats)bits;
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

RowRank rank(const float* z, int64_t n, float value) {
  Floats most = all(-__builtin_inff()), zero{};  // 0 · v summed: NaN once a value is NaN or infinite
  Ints greater{}, equal{};
  const auto step = [&](Floats v) {
    most = larger(v, most);
    greater -= v > value;
    equal -= v == value;
  };
  int64_t k = 0;
  for (; k + width <= n; k += width) {
    step(load(z + k));
    zero += load(z + k) * 0.0F;
  }
  if (k < n) {
    step(load_tail(z + k, n - k, -__builtin_inff()));
    zero += load_tail(z + k, n - k, 0) * 0.0F;
  }
  float maximum = most[0];
  for (int i = 1; i < width; ++i) maximum = most[i] > maximum ? most[i] : maximum;
  return {maximum, total(greater), total(equal), total(zero) == 0};
}

RowSums exponentials(const float* z, int64_t n, float maximum, float beta, float* e) {
  const int64_t whole = (n + width - 1) / width * width;
  RowSums sums{whole, 0, 0};
  for (int64_t k = whole; k < RowKernels::padded(n); ++k) e[k] = 0;
  Ints below{};
  const Exponent exponent(beta);
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{};
    const auto step = [&](Floats v, int64_t k) {
      const Floats power = exponential(v - maximum, exponent);
      __builtin_memcpy(e + k, &power, sizeof power);
      const Ints other = v < maximum;
      const Floats kept = other ? power : Floats{};
      below += other;
      rest += kept;
      squares += kept * kept;
    };
    const int64_t end = begin + block < n ? begin + block : n;
    int64_t k = begin;
    for (; k + width <= end; k += width) step(load(z + k), k);
    if (k < end) step(load_tail(z + k, end - k, -__builtin_inff()), k);
    sums.rest += total(rest);
    sums.squares += total(squares);
  }
  sums.ties += total(below);
  return sums;
}

RowSumsOfTwo exponentials_of_two(const float* z, int64_t n, float maximum, float beta, float other, float* e,
                                 float* other_e) {
  const int64_t whole = (n + width - 1) / width * width;
  RowSumsOfTwo sums{{whole, 0, 0}, {whole, 0, 0}};
  for (int64_t k = whole; k < RowKernels::padded(n); ++k) e[k] = other_e[k] = 0;
  const float distance = other - beta;
  const Exponent exponent(beta);
  Ints below{};
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{}, other_rest{}, other_squares{};
    const auto step = [&](Floats v, int64_t k) {
      const Floats d = below_maximum(v, maximum);
      const Floats power = exponential(d, exponent);
      // 1 + r + … + r⁵/120: r is at most 1/50 of the first exponent.
      const Floats r = d * distance;
      const Floats square = r * r;
      const Floats low = r + 1.0F, middle = r * (1.0F / 6) + 0.5F, high = r * (1.0F / 120) + 1.0F / 24;
      const Floats factor = (high * square + middle) * square + low;
      const Ints other_than_top = d < 0.0F;
      // Where the first is 0 the polynomial may be infinite.
      const Floats kept = other_than_top ? power : Floats{};
      const Floats other_power = power > 0.0F ? power * factor : Floats{};
      const Floats other_kept = other_than_top ? other_power : Floats{};
      __builtin_memcpy(e + k, &power, sizeof power);
      __builtin_memcpy(other_e + k, &other_power, sizeof other_power);
      below += other_than_top;
      rest += kept;
      squares += kept * kept;
      other_rest += other_kept;
      other_squares += other_kept * other_kept;
    };
    const int64_t end = begin + block < n ? begin + block : n;
    int64_t k = begin;
    for (; k + width <= end; k += width) step(load(z + k), k);
    if (k < end) step(load_tail(z + k, end - k, -__builtin_inff()), k);
    sums.first.rest += total(rest);
    sums.first.squares += total(squares);
    sums.second.rest += total(other_rest);
    sums.second.squares += total(other_squares);
  }
  sums.first.ties += total(below);
  sums.second.ties = sums.first.ties;
  return sums;
}

/// `cheap`: β is 8 steps, and e^(βd) comes from squaring e^(step·d) three times rather than a second
/// exponential.
template <bool cheap>
static inline RowMoments moments_of(const float* z, int64_t n, float maximum, SlopeNodes nodes) {
  RowMoments sums{};
  const Exponent exponent(nodes.beta), step_exponent(nodes.step);
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats zeroth[SlopeNodes::count] = {}, first[SlopeNodes::count] = {}, second[SlopeNodes::count] = {};
    const auto step = [&](Floats v) {
      const Floats d = below_maximum(v, maximum);
      const Floats factor = exponential(d, step_exponent), factor2 = factor * factor;
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
    };
    const int64_t end = begin + block < n ? begin + block : n;
    int64_t k = begin;
    for (; k + width <= end; k += width) step(load(z + k));
    if (k < end) step(load_tail(z + k, end - k, -__builtin_inff()));
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
    for (uint32_t bits = at_least(power, limit); bits != 0; bits &= bits - 1) {
      const int64_t at = k + __builtin_ctz(bits);
      if (at < n) above[found++] = static_cast<int32_t>(at);
    }
  }
  return found;
}
