// The loops of row_kernels.h. row_kernels.cpp includes this file once for every instruction set, in a
// namespace and under a target of its own, with SMOOTHLAB_LANES floats to a vector: so no include guard on
// purpose, and no includes, which would be compiled for the wrong machine. Written with the vector types of
// GCC and Clang.

constexpr int64_t width = SMOOTHLAB_LANES;
constexpr int64_t block = 1024;

using Floats = float __attribute__((vector_size(4 * width)));
using Ints = int32_t __attribute__((vector_size(4 * width)));

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

static inline double total(Floats v) {
  double sums[4] = {};
  for (int i = 0; i < width; i += 4)
    for (int j = 0; j < 4; ++j) sums[j] += static_cast<double>(v[i + j]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static inline int64_t total(Ints v) {
  int64_t sum = 0;
  for (int i = 0; i < width; ++i) sum += v[i];
  return sum;
}

/// exp(x), x ≤ 0, to 1 unit in the last place; 0 below −87. x = n·log 2 + r with n the nearest integer, then
/// the Taylor polynomial of exp(r), whose remainder at |r| ≤ log(2)/2 is below half a unit.
static inline Floats exponential(Floats x) {
  const Floats shift = all(12582912.0F);  // 1.5 · 2²³: adding it rounds to an integer
  const Floats shifted = x * 1.44269504F + shift;
  const Floats n = shifted - shift;
  const Floats r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Floats p = all(1.0F / 5040);
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = (p * r) * r + r;
  p = p + 1.0F;
  // n sits in the low bits of `shifted`; into the exponent it goes.
  const Ints bits = ((Ints)shifted - (Ints)shift) * (1 << 23) + (Ints)p;
  return x < -87.0F ? Floats{} : (Floats)bits;
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
      const Floats power = exponential(below_maximum(v, maximum) * beta);
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

RowMoments moments(const float* z, int64_t n, float maximum, SlopeNodes nodes) {
  RowMoments sums{};
  for (int64_t begin = 0; begin < n; begin += block) {
    Floats zeroth[SlopeNodes::count] = {}, first[SlopeNodes::count] = {}, second[SlopeNodes::count] = {};
    const auto step = [&](Floats v) {
      const Floats d = below_maximum(v, maximum);
      Floats power = exponential(d * nodes.beta);
      const Floats factor = exponential(d * nodes.step);
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

/// Whether any lane of a comparison is set.
static inline bool any(Ints mask) {
  int64_t words[width / 2], set = 0;
  __builtin_memcpy(words, &mask, sizeof words);
  for (int64_t word : words) set |= word;
  return set != 0;
}

int64_t add_scaled(const float* e, int64_t n, float scale, float threshold, float* column, int32_t* above) {
  constexpr int64_t group = 64;
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
