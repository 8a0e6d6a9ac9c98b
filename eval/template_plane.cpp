#include "eval/template_plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

using Vector = std::vector<double>;

constexpr double flattest = 1e-6;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Vector difference(const Vector& a, const Vector& b) {
  Vector result(a.size());
  for (size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

/// Divides by the length, which is returned.
double normalise(Vector& v) {
  const double length = std::sqrt(dot(v, v));
  if (length > 0)
    for (double& value : v) value /= length;
  return length;
}

void remove_along(const Vector& direction, Vector& v) {
  const double along = dot(direction, v);
  for (size_t i = 0; i < v.size(); ++i) v[i] -= along * direction[i];
}

}  // namespace

TemplatePlane::TemplatePlane(const std::array<Vector, 3>& templates, const std::array<std::string, 3>& names,
                             const std::string& path) {
  const std::string all = fmt::format("the templates of {}, {} and {}", names[0], names[1], names[2]);
  for (size_t i = 0; i < 3; ++i)
    if (!std::all_of(templates[i].begin(), templates[i].end(), [](double v) { return std::isfinite(v); }))
      throw DataError("the template of " + names[i] + " has values that are not finite", path,
                      "find out why; a run that diverged has no templates");
  basis_[0] = difference(templates[1], templates[0]);
  basis_[1] = difference(templates[2], templates[0]);
  const Vector third = difference(templates[2], templates[1]);
  const double base = normalise(basis_[0]);
  const double longest = std::max({base, std::sqrt(dot(basis_[1], basis_[1])), std::sqrt(dot(third, third))});
  for (int round = 0; round < 2; ++round)
    remove_along(basis_[0], basis_[1]);  // once more for rounding's sake
  const double height = normalise(basis_[1]);
  if (longest == 0)
    throw DataError(all + " are equal: they span no plane", path, "choose other classes, or train longer");
  const double flatness = height * base / (longest * longest);
  if (flatness < flattest)
    throw DataError(fmt::format("{} lie on a line: the smallest height of their triangle is {:.2g} of its "
                                "longest side, at least {:g} is needed",
                                all, flatness, flattest),
                    path, "choose other classes, or train longer");
  PlanePoint centroid;
  for (size_t i = 0; i < 3; ++i) {
    const Vector from_first = difference(templates[i], templates[0]);
    templates_[i] = {dot(basis_[0], from_first), dot(basis_[1], from_first)};
    centroid = centroid + (1.0 / 3) * templates_[i];
  }
  for (PlanePoint& point : templates_) point = point - centroid;
}

PlanePoint TemplatePlane::project(const float* x) const {
  const size_t n = basis_[0].size() - 1;
  PlanePoint u{basis_[0][n], basis_[1][n]};
  for (size_t i = 0; i < n; ++i) {
    u.x += basis_[0][i] * static_cast<double>(x[i]);
    u.y += basis_[1][i] * static_cast<double>(x[i]);
  }
  return u;
}

int TemplatePlane::winner(PlanePoint u) const {
  int best = 0;
  for (int i = 1; i < 3; ++i)
    if (eval::dot(u, templates_[static_cast<size_t>(i)]) >
        eval::dot(u, templates_[static_cast<size_t>(best)]))
      best = i;
  return best;
}

PlanePoint TemplatePlane::boundary(size_t opposite) const {
  const PlanePoint a = templates_[(opposite + 1) % 3], side = templates_[(opposite + 2) % 3] - a;
  PlanePoint ray{-side.y, side.x};
  // Along the ray both of the side gain alike; the third, at minus twice that, loses.
  const double length = std::hypot(ray.x, ray.y), sign = eval::dot(ray, a) > 0 ? 1 : -1;
  return (sign / length) * ray;
}

}  // namespace smoothlab::eval
