#pragma once

#include <cstdint>
#include <vector>

#include "eval/template_plane.h"

namespace smoothlab::eval {

/// Sums over activations of one class, in the whole penultimate space and in a TemplatePlane, from which mean
/// and mean square distance to it come in one pass. Everything is counted from an origin, which should be
/// one of the activations: where all of a class are equal the distance is then exactly 0.
class ActivationSums {
 public:
  /// Adds x [L] and returns where it lies in the plane. `origin` [L], `origin_in_plane`: its projection.
  /// Where a value is NaN or infinite, so is the returned point.
  PlanePoint add(const float* x, const float* origin, PlanePoint origin_in_plane, const TemplatePlane& plane);
  void merge(const ActivationSums& other);
  void clear();

  double rows() const { return rows_; }
  /// Mean of x − origin [L].
  std::vector<double> mean() const;
  /// Mean of u − origin_in_plane.
  PlanePoint mean_in_plane() const { return (1 / rows_) * sum_in_plane_; }
  /// Σ |x − mean|².
  double scatter() const;
  double scatter_in_plane() const;

 private:
  double rows_ = 0, squares_ = 0, squares_in_plane_ = 0;
  std::vector<double> sum_;
  PlanePoint sum_in_plane_;
};

}  // namespace smoothlab::eval
