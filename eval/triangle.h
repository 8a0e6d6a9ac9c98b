#pragma once

#include <array>
#include <optional>

namespace smoothlab::eval {

/// A point of a plane.
struct PlanePoint {
  double x = 0, y = 0;
};

inline PlanePoint operator+(PlanePoint a, PlanePoint b) {
  return {a.x + b.x, a.y + b.y};
}
inline PlanePoint operator-(PlanePoint a, PlanePoint b) {
  return {a.x - b.x, a.y - b.y};
}
inline PlanePoint operator*(double scale, PlanePoint p) {
  return {scale * p.x, scale * p.y};
}
inline double dot(PlanePoint a, PlanePoint b) {
  return a.x * b.x + a.y * b.y;
}

/// What three points look like together.
struct Triangle {
  std::array<double, 3> sides{};  ///< lengths 1–2, 2–3, 3–1
  /// 4·√3·area / (a² + b² + c²): 1 for an equilateral triangle, 0 for three points on a line; the same
  /// whatever the triangle's size. None where the three points are one.
  std::optional<double> regularity;
};

Triangle triangle_of(const std::array<PlanePoint, 3>& corners);

/// Root of the mean square of three lengths.
double root_mean_square(const std::array<double, 3>& lengths);

}  // namespace smoothlab::eval
