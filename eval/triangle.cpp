#include "eval/triangle.h"

#include <cmath>

namespace smoothlab::eval {

double root_mean_square(const std::array<double, 3>& lengths) {
  double sum = 0;
  for (const double length : lengths) sum += length * length;
  return std::sqrt(sum / 3);
}

Triangle triangle_of(const std::array<PlanePoint, 3>& corners) {
  Triangle triangle;
  double squares = 0;
  for (size_t i = 0; i < 3; ++i) {
    const PlanePoint side = corners[(i + 1) % 3] - corners[i];
    triangle.sides[i] = std::hypot(side.x, side.y);
    squares += dot(side, side);
  }
  const PlanePoint a = corners[1] - corners[0], b = corners[2] - corners[0];
  const double area = 0.5 * std::abs(a.x * b.y - a.y * b.x);
  if (squares > 0) triangle.regularity = 4 * std::sqrt(3.0) * area / squares;
  return triangle;
}

}  // namespace smoothlab::eval
