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

/// exp(x), x ≤ 0, to 1.5 units in the last place; 0 below −87, −∞ included. x = n·log 2 + r with n the
/// nearest integer; exp(r) = 1 + r + r²·q(r), q of degree 4 fitted on |r| ≤ log(2)/2 for the least relative
/// error of exp(r), which is 4·10⁻⁹.
static inline Floats exponential(Floats x) {
  const Floats shift = all(12582912.0F);  // 1.5 · 2²³: adding it rounds to an integer
  const Floats shifted = x * 1.44269504F + shift;
  const Floats n = shifted - shift;
  const Floats r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Floats p = all(0.00138145406F);
  p = p * r + 0.00836874545F;
  p = p * r + 0.041668389F;
  p = p * r + 0.166665211F;
  p = p * r + 0.49999994F;
  p = (p * r) * r + r;
  p = p + 1.0F;
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
  return d > lowest ? d : all(lowest);
}

RowRank rank(const float* z, int64_t n, float value) {
  Floats most = all(-__builtin_inff());
  Ints greater{}, equal{};
  const auto step = [&](Floats v) {
    most = v > most ? v : most;
    greater -= v > value;
    equal -= v == value;
  };
  int64_t k = 0;
  for (; k + width <= n; k += width) step(load(z + k));
  if (k < n) step(load_tail(z + k, n - k, -__builtin_inff()));
  float maximum = most[0];
  for (int i = 1; i < width; ++i) maximum = most[i] > maximum ? most[i] : maximum;
  return {maximum, total(greater), total(equal)};
}

RowSums exponentials(const float* z, int64_t n, float maximum, float beta, float* e) {
  const int64_t whole = (n + width - 1) / width * width;
  RowSums sums{whole, 0, 0};
  for (int64_t k = whole; k < RowKernels::padded(n); ++k) e[k] = 0;
  Ints below{};
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{};
    const auto step = [&](Floats v, int64_t k) {
      const Floats power = exponential((v - maximum) * beta);
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
  Ints below{};
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats rest{}, squares{}, other_rest{}, other_squares{};
    const auto step = [&](Floats v, int64_t k) {
      const Floats d = below_maximum(v, maximum);
      const Floats power = exponential(d * beta);
      // 1 + r + … + r⁵/120: r is at most 1/50 of the first exponent.
      const Floats r = d * distance;
      Floats factor = r * (1.0F / 120) + 1.0F / 24;
      factor = factor * r + 1.0F / 6;
      factor = factor * r + 0.5F;
      factor = factor * r + 1.0F;
      factor = factor * r + 1.0F;
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
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats zeroth[SlopeNodes::count] = {}, first[SlopeNodes::count] = {}, second[SlopeNodes::count] = {};
    const auto step = [&](Floats v) {
      const Floats d = below_maximum(v, maximum);
      const Floats factor = exponential(d * nodes.step);
      Floats power;
      if constexpr (cheap) {
        power = factor * factor;
        power *= power;
        power *= power;
      } else {
        power = exponential(d * nodes.beta);
      }
      for (int node = 0; node < SlopeNodes::count; ++node) {
        const Floats weighted = power * d;
        zeroth[node] += power;
        first[node] += weighted;
        second[node] += weighted * d;
        power *= factor;
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

/// Whether any lane of a comparison, all ones or zeros, is set.
static inline bool any(Ints mask) {
  const Ints4 four = folded<Ints4>(mask);  // at most four ones' sums: never wraps to 0
  int64_t words[2];
  __builtin_memcpy(words, &four, sizeof words);
  return (words[0] | words[1]) != 0;
}

int64_t add_scaled(const float* e, int64_t n, float scale, float threshold, float* column, int32_t* above) {
  constexpr int64_t group = 128;
  const int64_t whole = RowKernels::padded(n);
  int64_t found = 0;
  for (int64_t begin = 0; begin < whole; begin += group) {
    const int64_t end = begin + group < whole ? begin + group : whole;
    Ints high{};
    for (int64_t k = begin; k < end; k += width) {
      const Floats p = load(e + k) * scale;
      const Floats sum = load(column + k) + p;
      __builtin_memcpy(column + k, &sum, sizeof sum);
      high |= p >= threshold;
    }
    if (!any(high)) continue;
    for (int64_t k = begin; k < end && k < n; ++k)
      if (e[k] * scale >= threshold) above[found++] = static_cast<int32_t>(k);
  }
  return found;
}
