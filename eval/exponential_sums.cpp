#include "eval/exponential_sums.h"

#include <algorithm>
#include <cstring>

namespace smoothlab::eval {
namespace {

constexpr int64_t width = 2, block = 1024;  // a block and its exponentials stay in a core's first cache
using Doubles = double __attribute__((vector_size(8 * width)));
using Bits = int64_t __attribute__((vector_size(8 * width)));

/// exp of x ≤ 0. Below −708 it is that of −708, 3·10⁻³⁰⁸, and so no denormal. exp(0) is 1 exactly.
inline Doubles exponential(Doubles x) {
  constexpr double log2e = 1.4426950408889634, shift = 6755399441055744.0;  // 1.5·2⁵²: rounds to an integer
  constexpr double ln2_high = 0.69314718036912382, ln2_low = 1.9082149292705877e-10;
  constexpr double factorials[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  const Doubles least = -708.0 - Doubles{};
  x = x > least ? x : least;
  const Doubles shifted = x * log2e + shift, n = shifted - shift;
  const Doubles rest = (x - n * ln2_high) - n * ln2_low;
  Doubles sum = 1.0 / 6227020800 - Doubles{};
  for (const double factor : factorials) sum = sum * rest + factor;
  Bits power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power << 52) + (int64_t{1023} << 52);
  Doubles scale;
  std::memcpy(&scale, &power, sizeof scale);
  return sum * scale;
}

inline double total(Doubles v) {
  return v[0] + v[1];
}

}  // namespace

ExponentialSums::ExponentialSums(const std::vector<double>& temperatures) : grid_(temperatures.size()) {
  std::vector<bool> placed(grid_, false);
  for (size_t highest = grid_; highest-- > 0;) {
    if (placed[highest]) continue;
    Chain chain{1 / temperatures[highest], {}};
    double wanted = temperatures[highest];
    for (size_t j = highest + 1; j-- > 0;)
      if (!placed[j] && temperatures[j] == wanted) {
        chain.temperature.push_back(j);
        placed[j] = true;
        wanted /= 2;
      }
    chains_.push_back(std::move(chain));
  }
}

void ExponentialSums::of(const float* z, int64_t classes, float maximum, double* sums) const {
  std::fill(sums, sums + grid_, 0.0);
  Doubles below[block / width], powers[block / width];
  for (int64_t first = 0; first < classes; first += block) {
    const int64_t count = std::min(block, classes - first), vectors = (count + width - 1) / width;
    for (int64_t i = 0; i < vectors * width; ++i)
      below[i / width][i % width] =
          i < count ? static_cast<double>(z[first + i]) - static_cast<double>(maximum) : -1e300;
    for (const Chain& chain : chains_) {
      bool of_highest = true;
      for (const size_t j : chain.temperature) {
        Doubles sum{};
        for (int64_t v = 0; v < vectors; ++v) {
          powers[v] = of_highest ? exponential(below[v] * chain.beta) : powers[v] * powers[v];
          sum += powers[v];
        }
        of_highest = false;
        sums[j] += total(sum);
      }
    }
  }
}

}  // namespace smoothlab::eval
