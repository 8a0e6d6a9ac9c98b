#include "eval/activation_sums.h"

#include <algorithm>
#include <cstring>

#include "cluster/vector_clones.h"

namespace smoothlab::eval {
namespace {

// The vector types of GCC and Clang: left to itself the compiler makes no vectors of these loops.
constexpr int64_t lanes = 8;
using Doubles = double __attribute__((vector_size(8 * lanes)));
using Floats = float __attribute__((vector_size(4 * lanes)));

struct RowSums {
  double first = 0, second = 0, squares = 0;
};

/// One reading of the row does all: d = x − origin is added to `sum`, and multiplied by both basis vectors
/// and by itself.
SMOOTHLAB_VECTOR_CLONES
RowSums add_row(const float* x, const float* origin, const double* first, const double* second, int64_t n,
                double* sum) {
  Doubles a{}, b{}, c{};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    Floats row, from;
    Doubles s, e, f;
    std::memcpy(&row, x + i, sizeof row);
    std::memcpy(&from, origin + i, sizeof from);
    std::memcpy(&s, sum + i, sizeof s);
    std::memcpy(&e, first + i, sizeof e);
    std::memcpy(&f, second + i, sizeof f);
    const Doubles d = __builtin_convertvector(row, Doubles) - __builtin_convertvector(from, Doubles);
    s += d;
    std::memcpy(sum + i, &s, sizeof s);
    a += e * d;
    b += f * d;
    c += d * d;
  }
  RowSums sums;
  for (int k = 0; k < lanes; ++k) {
    sums.first += a[k];
    sums.second += b[k];
    sums.squares += c[k];
  }
  for (; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - static_cast<double>(origin[i]);
    sum[i] += d;
    sums.first += first[i] * d;
    sums.second += second[i] * d;
    sums.squares += d * d;
  }
  return sums;
}

/// Σ v² − (Σ v)²/n is negative only by rounding.
double without_mean(double squares, double square_of_sum, double rows) {
  return std::max(0.0, squares - square_of_sum / rows);
}

}  // namespace

PlanePoint ActivationSums::add(const float* x, const float* origin, PlanePoint origin_in_plane,
                               const TemplatePlane& plane) {
  sum_.resize(static_cast<size_t>(plane.width()));
  const RowSums row = add_row(x, origin, plane.basis(0).data(), plane.basis(1).data(),
                              static_cast<int64_t>(sum_.size()), sum_.data());
  const PlanePoint moved{row.first, row.second};
  rows_ += 1;
  squares_ += row.squares;
  sum_in_plane_ = sum_in_plane_ + moved;
  squares_in_plane_ += dot(moved, moved);
  return origin_in_plane + moved;
}

void ActivationSums::merge(const ActivationSums& other) {
  if (other.rows_ == 0) return;
  sum_.resize(other.sum_.size());
  for (size_t i = 0; i < sum_.size(); ++i) sum_[i] += other.sum_[i];
  rows_ += other.rows_;
  squares_ += other.squares_;
  sum_in_plane_ = sum_in_plane_ + other.sum_in_plane_;
  squares_in_plane_ += other.squares_in_plane_;
}

void ActivationSums::clear() {
  if (rows_ > 0) std::fill(sum_.begin(), sum_.end(), 0.0);
  rows_ = squares_ = squares_in_plane_ = 0;
  sum_in_plane_ = {};
}

std::vector<double> ActivationSums::mean() const {
  std::vector<double> mean = sum_;
  for (double& value : mean) value /= rows_;
  return mean;
}

double ActivationSums::scatter() const {
  double square = 0;
  for (const double value : sum_) square += value * value;
  return without_mean(squares_, square, rows_);
}

double ActivationSums::scatter_in_plane() const {
  return without_mean(squares_in_plane_, dot(sum_in_plane_, sum_in_plane_), rows_);
}

}  // namespace smoothlab::eval
