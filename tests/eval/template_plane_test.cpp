#include "eval/template_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

using Templates = std::array<std::vector<double>, 3>;

Templates random_templates(size_t width) {
  Templates templates;
  for (size_t i = 0; i < 3; ++i) {
    const AddressedRandom random(3, Purpose::generated_data, 0, i);
    for (uint32_t k = 0; k <= width; ++k) templates[i].push_back(5 + random.normal(k));
  }
  return templates;
}

TemplatePlane plane_through(const Templates& templates) {
  return TemplatePlane(templates, {"cat", "dog", "owl"}, "x.h5");
}

std::string refusal(const Templates& templates) {
  try {
    plane_through(templates);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(TemplatePlane, TheBasisIsOrthonormalAndPointsAsSaid) {
  const Templates t = random_templates(37);
  const TemplatePlane plane = plane_through(t);
  EXPECT_EQ(plane.width(), 37);
  EXPECT_NEAR(dot(plane.basis(0), plane.basis(0)), 1, 1e-14);
  EXPECT_NEAR(dot(plane.basis(1), plane.basis(1)), 1, 1e-14);
  EXPECT_NEAR(dot(plane.basis(0), plane.basis(1)), 0, 1e-14);
  const auto& c = plane.templates();
  EXPECT_GT(c[1].x, c[0].x);
  EXPECT_NEAR(c[1].y, c[0].y, 1e-13);
  EXPECT_GT(c[2].y, c[0].y);
  EXPECT_NEAR(c[0].x + c[1].x + c[2].x, 0, 1e-13);
  EXPECT_NEAR(c[0].y + c[1].y + c[2].y, 0, 1e-13);
}

TEST(TemplatePlane, DistancesOfTemplatesAreKept) {
  const Templates t = random_templates(37);
  const TemplatePlane plane = plane_through(t);
  const auto sides = triangle_of(plane.templates()).sides;
  for (size_t i = 0; i < 3; ++i) {
    double squares = 0;
    for (size_t k = 0; k < t[i].size(); ++k) squares += std::pow(t[i][k] - t[(i + 1) % 3][k], 2);
    EXPECT_NEAR(sides[i], std::sqrt(squares), 1e-12);
  }
}

// What makes the picture a picture of the classifier.
TEST(TemplatePlane, DifferencesOfLogitsAreThoseInThePlane) {
  const Templates t = random_templates(37);
  const TemplatePlane plane = plane_through(t);
  const AddressedRandom random(4, Purpose::generated_data, 0, 0);
  for (uint32_t example = 0; example < 20; ++example) {
    std::vector<float> x;
    for (uint32_t k = 0; k < 37; ++k) x.push_back(static_cast<float>(3 * random.normal(example * 40 + k)));
    std::array<double, 3> logits{};
    for (size_t i = 0; i < 3; ++i) {
      logits[i] = t[i][37];
      for (size_t k = 0; k < 37; ++k) logits[i] += t[i][k] * static_cast<double>(x[k]);
    }
    const PlanePoint u = plane.project(x.data());
    for (size_t i = 0; i < 3; ++i) {
      const size_t j = (i + 1) % 3;
      const double in_plane = dot(u, plane.templates()[i] - plane.templates()[j]);
      EXPECT_NEAR(in_plane, logits[i] - logits[j], 1e-11);
    }
    const auto largest = std::max_element(logits.begin(), logits.end()) - logits.begin();
    EXPECT_EQ(plane.winner(u), largest);
  }
}

TEST(TemplatePlane, BoundariesAreRaysOnWhichTwoClassesAreEqualAndBeatTheThird) {
  // Also an obtuse triangle, whose third corner is far from the others' middle.
  for (const Templates& t : {random_templates(5), Templates{{{0, 0, 0}, {4, 0, 0}, {-3, 0.5, 0}}}}) {
    const TemplatePlane plane = plane_through(t);
    const auto& c = plane.templates();
    for (size_t k = 0; k < 3; ++k) {
      const size_t i = (k + 1) % 3, j = (k + 2) % 3;
      const PlanePoint ray = plane.boundary(k);
      EXPECT_NEAR(std::hypot(ray.x, ray.y), 1, 1e-14);
      EXPECT_NEAR(dot(ray, c[i] - c[j]), 0, 1e-13);
      EXPECT_GT(dot(ray, c[i] - c[k]), 0);
      // A little to either side of it one of the two wins.
      const PlanePoint aside = 1e-6 * (c[i] - c[j]);
      EXPECT_EQ(plane.winner(ray + aside), static_cast<int>(i));
      EXPECT_EQ(plane.winner(ray - aside), static_cast<int>(j));
    }
  }
}

TEST(TemplatePlane, TemplatesOnALineAreRefusedWithTheMeasuredRatio) {
  // A triangle of base 1 and height 10⁻⁷, and one that is just high enough.
  const auto flat = [](double height) { return Templates{{{0, 0, 1}, {1, 0, 1}, {0.5, height, 1}}}; };
  EXPECT_THAT(refusal(flat(1e-7)), HasSubstr("cat, dog and owl lie on a line: the smallest height of their "
                                             "triangle is 1e-07 of its longest side"));
  EXPECT_THAT(refusal(flat(0)), HasSubstr("is 0 of its longest side"));
  EXPECT_EQ(refusal(flat(2e-6)), "");
  // On a line in an order in which the first two are the near ones.
  EXPECT_THAT(refusal({{{0, 0}, {1e-3, 0}, {7, 0}}}), HasSubstr("on a line"));
  EXPECT_THAT(refusal({{{1, 2}, {1, 2}, {3, 4}}}), HasSubstr("on a line"));
  EXPECT_THAT(refusal({{{1, 2}, {1, 2}, {1, 2}}}), HasSubstr("are equal"));
  EXPECT_THAT(refusal({{{1, 2}, {std::numeric_limits<double>::quiet_NaN(), 2}, {0, 2}}}),
              HasSubstr("template of dog"));
  EXPECT_THAT(refusal(flat(0)), HasSubstr("x.h5"));
}

TEST(TemplatePlane, RegularityIsOneForEqualSidesAndZeroForALine) {
  const double root = std::sqrt(3.0);
  EXPECT_NEAR(*triangle_of({{{2, 1}, {6, 1}, {4, 1 + 2 * root}}}).regularity, 1, 1e-14);
  EXPECT_NEAR(*triangle_of({{{0, 0}, {1, 1}, {5, 5}}}).regularity, 0, 1e-14);
  // Right-angled, legs 1: 4·√3·½ / (1 + 1 + 2).
  const Triangle right = triangle_of({{{0, 0}, {1, 0}, {0, 1}}});
  EXPECT_NEAR(*right.regularity, root / 2, 1e-14);
  EXPECT_NEAR(right.sides[1], std::sqrt(2.0), 1e-14);
  EXPECT_FALSE(triangle_of({{{3, 3}, {3, 3}, {3, 3}}}).regularity.has_value());
}

}  // namespace
}  // namespace smoothlab::eval
