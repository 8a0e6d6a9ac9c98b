#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// Floats on a boundary of cache lines, a whole number of vectors of them: rows that kernels write.
class FloatLanes {
 public:
  explicit FloatLanes(int64_t n = 0) : lanes_(static_cast<size_t>((n + 15) / 16)) {}
  float* data() { return lanes_.empty() ? nullptr : lanes_.front().value; }
  const float* data() const { return lanes_.empty() ? nullptr : lanes_.front().value; }

 private:
  struct alignas(64) Lane {
    float value[16];
  };
  std::vector<Lane> lanes_;
};

/// Where a class stands in a row of logits.
struct RowRank {
  float maximum;   ///< of the row
  int64_t before;  ///< classes that come before it: with a greater logit, or an equal one and a lower number
  bool finite;     ///< whether the whole row is; where not, the rest means nothing
};

/// Sums over exp(β (z_k − max)). The ties at the maximum, which are 1 each, are apart, so that a row of
/// confidence 1 − 10⁻¹² still has a negative log-likelihood that is right to single precision.
struct RowSums {
  int64_t ties;    ///< how many equal the maximum, ≥ 1
  double rest;     ///< Σ over the others
  double squares;  ///< Σ of squares over the others
};

/// The same at two inverse temperatures.
struct RowSumsOfTwo {
  RowSums first, second;
};

/// Four inverse temperatures β, β + step, … at which slopes are taken in one pass. Cheapest where β is
/// `cheap_ratio` steps.
struct SlopeNodes {
  static constexpr int count = 4;
  static constexpr float cheap_ratio = 8;
  float beta = 1, step = 0;
  double at(int node) const { return static_cast<double>(beta) + static_cast<double>(step) * node; }
};

/// Σ_k e_k d_kⁱ for i = 0, 1, 2 at each node, d_k = z_k − max, e_k = exp(β d_k).
struct RowMoments {
  std::array<double, SlopeNodes::count> zeroth, first, second;
};

/// Inner loops over one row of n logits, finite except where said. Single precision inside a block of 1024,
/// double across.
struct RowKernels {
  /// Arrays written are rounded up to whole vectors.
  static constexpr int64_t lanes = 16;
  static constexpr int64_t padded(int64_t n) { return (n + lanes - 1) / lanes * lanes; }

  /// How far apart the two of exponentials_of_two may be, relative to the first.
  static constexpr double nearness = 0.02;

  const char* name;                                ///< of the instruction set
  bool (*finite)(const float* values, int64_t n);  ///< none of them NaN or infinite
  RowRank (*rank)(const float* z, int64_t n, int64_t label);
  /// Writes exp(β (z_k − maximum)) to e[padded(n)], zeros after n.
  RowSums (*exponentials)(const float* z, int64_t n, float maximum, float beta, float* e);
  /// The same for beta and other, which is within `nearness` of it: e^(other·d) = e^(beta·d) ·
  /// e^((other−beta)·d) with the last factor from a short polynomial, wrong only where the first is below
  /// 10⁻⁸ of the sum.
  RowSumsOfTwo (*exponentials_of_two)(const float* z, int64_t n, float maximum, float beta, float other,
                                      float* e, float* other_e);
  RowMoments (*moments)(const float* z, int64_t n, float maximum, SlopeNodes nodes);
  /// column[k] += e[k]·scale over padded(n); writes each k with e[k] > threshold to above[n] in rising order
  /// and returns how many there are.
  int64_t (*add_scaled)(const float* e, int64_t n, float scale, float threshold, float* column,
                        int32_t* above);
};

/// The kernels for this machine's instruction set: AVX-512, AVX2 or what the compiler was told to build for.
const RowKernels& row_kernels();

/// All that this machine can run, the one of row_kernels() last.
struct RowKernelList {
  std::array<const RowKernels*, 3> kernels;
  int count;
};
RowKernelList all_row_kernels();

}  // namespace smoothlab::eval
