#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/triangle.h"

namespace smoothlab::eval {

/// The plane of a penultimate projection (paper sec. 2): through the templates of three classes. A template
/// is t = [w; b] in R^{L+1}, weights and bias of a class; an activation is z = [x; 1]. The plane is spanned
/// by differences of templates, so it goes through the origin, and z is projected onto it as
///
///     u = (e₁·z, e₂·z).
///
/// The basis is orthonormal: e₁ points from the first template to the second; e₂ is orthogonal to it and
/// points to the side of the third. Hence u·(c_i − c_j) = z·(t_i − t_j), the difference of two logits: where
/// two classes have equal logits is a line through u = 0, and where they also beat the third, half of it.
class TemplatePlane {
 public:
  /// templates: weights and bias of each class, L + 1 values. Throws DataError that names `path` and the
  /// classes: values that are not finite, or templates on a line (the triangle's smallest height below 10⁻⁶
  /// of its longest side), as three equal or untrained ones are.
  TemplatePlane(const std::array<std::vector<double>, 3>& templates, const std::array<std::string, 3>& names,
                const std::string& path);

  /// L, without the 1.
  int64_t width() const { return static_cast<int64_t>(basis_[0].size()) - 1; }
  /// Basis vector 0 or 1, of length L + 1.
  const std::vector<double>& basis(size_t axis) const { return basis_[axis]; }
  /// Coordinates u of an activation x [L].
  PlanePoint project(const float* x) const;
  /// Coordinates c of the templates, relative to their centroid: what all three have in common changes no
  /// decision between them.
  const std::array<PlanePoint, 3>& templates() const { return templates_; }
  /// The class, 0 … 2, with the largest logit of the three at u; of equals the first.
  int winner(PlanePoint u) const;
  /// Direction, of length 1, of the ray from u = 0 on which the two classes other than `opposite` have equal
  /// logits, greater than that of `opposite`.
  PlanePoint boundary(size_t opposite) const;

 private:
  std::array<std::vector<double>, 2> basis_;
  std::array<PlanePoint, 3> templates_;
};

}  // namespace smoothlab::eval
