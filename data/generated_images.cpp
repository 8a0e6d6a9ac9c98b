#include "data/generated_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::data {
namespace {

constexpr int side = 32;
constexpr double pi = 3.14159265358979323846;
constexpr int shapes = 5;
constexpr int64_t shape_classes = 10;  ///< two of each shape
constexpr std::array<const char*, shape_classes> shape_names = {
    "disc", "ring", "square", "diamond", "triangle", "chevron", "stripes", "waves", "cross", "saltire"};
constexpr std::array<const char*, 4> texture_names = {"", "barred ", "dotted ", "shaded "};

/// Draw numbers within a sample's address. Never renumber.
enum Draw : uint32_t {
  cue,
  radius,
  centre_x,
  centre_y,
  angle,
  hue,
  saturation,
  value,
  ground,
  slope_x,
  slope_y,
  phase,
  ground_hue,
  noise_first = 64
};

/// Where a class's cues lie, in standard deviations from the middle: Φ(−1) = 16 % of the images show the cue
/// of the other class of the pair, and no classifier can tell.
constexpr double cue_distance = 1.0;

using Colour = std::array<double, 3>;

Colour hsv(double h, double s, double v) {
  Colour result;
  for (int c = 0; c < 3; ++c) {
    const double k = std::fmod(5.0 - 2 * c + h * 6.0 + 12.0, 6.0);
    result[c] = v * (1.0 - s * std::clamp(std::min(k, 4.0 - k), 0.0, 1.0));
  }
  return result;
}

/// Everything that varies between images of a pair.
struct Scene {
  int shape, texture;
  double cue;  ///< 0: clearly the first of the pair, 1: clearly the second
  double x, y, radius, angle, phase;
  Colour ink, ground;
  double slope_x, slope_y;
};

Scene draw_scene(const AddressedRandom& random, int64_t label) {
  const auto between = [&](Draw draw, double low, double high) {
    return low + (high - low) * random.uniform(draw);
  };
  Scene scene;
  const int pair = static_cast<int>(label / 2);
  scene.shape = pair % shapes;
  scene.texture = pair / shapes;
  const double mean = label % 2 ? cue_distance : -cue_distance;
  scene.cue = std::clamp(0.5 + (mean + random.normal(Draw::cue)) / (4 * cue_distance), 0.0, 1.0);
  scene.x = between(centre_x, 12, 20);
  scene.y = between(centre_y, 12, 20);
  scene.radius = between(Draw::radius, 7, 11);
  scene.angle = between(Draw::angle, -0.12, 0.12);
  scene.phase = between(Draw::phase, 0, 2 * pi);
  // A pair prefers a hue, loosely: colour helps to tell pairs apart and never the two of a pair.
  const double preferred = static_cast<double>(scene.shape) / shapes;
  scene.ink = hsv(std::fmod(preferred + between(hue, -0.3, 0.3) + 1.0, 1.0), between(saturation, 0.3, 0.8),
                  between(value, 0.55, 0.9));
  scene.ground = hsv(random.uniform(ground_hue), 0.3, between(Draw::ground, 0.2, 0.45));
  scene.slope_x = between(Draw::slope_x, -0.006, 0.006);
  scene.slope_y = between(Draw::slope_y, -0.006, 0.006);
  return scene;
}

/// Signed distance to a square of half side a (≤ 0 inside), corners kept sharp.
double box(double u, double v, double a, double b) {
  return std::max(std::abs(u) - a, std::abs(v) - b);
}

/// Signed distance, in pixels, to the shape around its own centre; ≤ 0 inside.
double distance(const Scene& scene, double u, double v) {
  const double r = scene.radius, t = scene.cue;
  const double length = std::sqrt(u * u + v * v);
  switch (scene.shape) {
    case 0: {  // disc, ring: a hole opens
      const double hole = 0.65 * r * t;
      return std::max(length - r, hole - length);
    }
    case 1: {  // square, diamond: turns by 45°
      const double a = scene.angle + t * pi / 4, c = std::cos(a), s = std::sin(a);
      return box(c * u + s * v, c * v - s * u, 0.8 * r, 0.8 * r);
    }
    case 2: {  // triangle, chevron: a notch is cut into the base
      const double outer = std::max(1.5 * std::abs(u) - 0.8 * (v + r), v - 0.7 * r) * 0.6;
      const double apex = 0.7 * r - 1.3 * r * t;
      return std::max(outer, 0.6 * (v - apex - 1.0 * std::abs(u)));
    }
    case 3: {  // stripes, waves: straight lines begin to bend
      const double bent = v + 0.36 * r * t * std::sin(2 * pi * u / (1.3 * r) + scene.phase);
      const double period = 0.62 * r;
      const double folded = std::abs(bent / period - std::round(bent / period)) * period;
      return std::max(folded - 0.25 * period, box(u, v, r, r));
    }
    default: {  // cross, saltire: turns by 45°
      const double a = scene.angle + t * pi / 4, c = std::cos(a), s = std::sin(a);
      const double p = c * u + s * v, q = c * v - s * u;
      return std::min(box(p, q, r, 0.27 * r), box(q, p, r, 0.27 * r));
    }
  }
}

/// How much ink the texture lets through.
double texture(const Scene& scene, double u, double v) {
  switch (scene.texture) {
    case 1:
      return 0.65 + 0.35 * std::sin(1.6 * (u + v) + scene.phase);
    case 2:
      return 0.6 + 0.4 * std::sin(1.5 * u + scene.phase) * std::sin(1.5 * v);
    case 3:
      return std::clamp(0.6 + 0.4 * u / scene.radius, 0.0, 1.0);
    default:
      return 1.0;
  }
}

/// Sums of four random bytes: nearly normal, exact on every machine, and four from one Philox block.
class Noise {
 public:
  Noise(const AddressedRandom& random, double deviation)
      : random_(random), scale_(deviation / std::sqrt(4 * (65536.0 - 1) / 12)) {}
  double next() {
    if (used_ == 4) {
      block_ = random_.block(draw_++);
      used_ = 0;
    }
    const uint32_t word = block_[used_++];
    const int sum = static_cast<int>((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
    return scale_ * (sum - 510);
  }

 private:
  const AddressedRandom& random_;
  double scale_;
  std::array<uint32_t, 4> block_{};
  uint32_t draw_ = noise_first;
  int used_ = 4;
};

void render(const Scene& scene, Noise noise, uint8_t* pixels) {
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column) {
      const double u = column + 0.5 - scene.x, v = row + 0.5 - scene.y;
      const double cover = std::clamp(0.5 - distance(scene, u, v), 0.0, 1.0) * texture(scene, u, v);
      const double light = scene.slope_x * (column - 16) + scene.slope_y * (row - 16);
      for (int c = 0; c < 3; ++c) {
        const double clean = cover * scene.ink[c] + (1 - cover) * scene.ground[c] + light;
        *pixels++ = static_cast<uint8_t>(std::clamp(255 * clean + noise.next() + 0.5, 0.0, 255.0));
      }
    }
}

}  // namespace

LabelledImages generate_images(const GeneratedOptions& options) {
  const int64_t most = shape_classes * static_cast<int64_t>(texture_names.size());
  if (options.classes < 4 || options.classes > most)
    throw UsageError(fmt::format("the generated set cannot have {} classes", options.classes), "classes",
                     fmt::format("choose 4 to {}", most));
  if (options.samples < 1)
    throw UsageError(fmt::format("the generated set cannot have {} samples", options.samples), "samples",
                     "choose at least 1");
  if (!(options.noise >= 0 && options.noise <= 255))
    throw UsageError(fmt::format("noise {} is out of range", options.noise), "noise", "choose 0 to 255");

  LabelledImages images;
  images.height = images.width = side;
  images.channels = 3;
  images.origin = fmt::format("generated set, seed {}", options.seed);
  for (int64_t c = 0; c < options.classes; ++c)
    images.class_names.push_back(std::string(texture_names[c / shape_classes]) +
                                 shape_names[c % shape_classes]);
  images.pixels.resize(options.samples * images.image_bytes());
  images.labels.resize(options.samples);
  const double deviation = options.noise > 0 ? options.noise : default_noise;
  for (int64_t i = 0; i < options.samples; ++i) {
    const AddressedRandom random(options.seed, Purpose::generated_data, options.split, i);
    images.labels[i] = static_cast<int32_t>(i % options.classes);
    render(draw_scene(random, images.labels[i]), Noise(random, deviation),
           images.pixels.data() + i * images.image_bytes());
  }
  return images;
}

}  // namespace smoothlab::data
