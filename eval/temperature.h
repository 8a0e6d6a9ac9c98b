#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "eval/row_kernels.h"

namespace smoothlab::eval {

/// Temperatures that are searched. Outside it a fit says more about the data than about the network.
constexpr double lowest_temperature = 0.05, highest_temperature = 20;

/// Where a search ended. `lower_bound`: NLL still falls at the lowest temperature, as it does when every row
/// is right. `upper_bound`: it still falls at the highest. `flat`: NLL is the same at every temperature (all
/// logits of each row equal); the temperature is then 1. `given`: there was no search.
enum class FitEnd { interior, lower_bound, upper_bound, flat, given };
/// "interior", "lower_bound", "upper_bound", "flat", "given".
std::string fit_end_name(FitEnd end);

struct TemperatureFit {
  double temperature = 1;
  FitEnd end = FitEnd::interior;
};

/// First and second derivative by β = 1/T of the NLL summed over rows, at the nodes of a pass.
struct NllSlopes {
  std::array<double, SlopeNodes::count> first{}, second{};
  void add(const NllSlopes& other);
};

/// Finds the minimum of the NLL of softmax(β·logits) over β. NLL is convex in β, so its derivative rises and
/// the bracket of its root can only shrink. Each pass over the rows gives derivatives at four neighbouring β;
/// once they hold the root between them, it is read off the Hermite polynomial of degree 7 through their
/// (value, slope) pairs, whose error is far below that of single precision.
class TemperatureSearch {
 public:
  explicit TemperatureSearch(double start_temperature = 1);
  bool done() const { return fit_.has_value(); }
  /// Valid once done.
  const TemperatureFit& fit() const { return *fit_; }
  /// The β around which the next pass should take its nodes, and how far apart relative to it.
  double wanted() const { return wanted_; }
  double spacing() const { return spacing_; }
  void add(SlopeNodes nodes, const NllSlopes& slopes);

 private:
  struct Point {
    double beta, first, second;
  };
  void finish(double beta, FitEnd end) { fit_ = TemperatureFit{1 / beta, end}; }
  void go_on();

  std::optional<Point> low_, high_;  // nearest to the root that are known, on its two sides
  double least_, most_, silent_;     // β seen, and the smallest where the slopes say nothing
  double wanted_;
  double spacing_ = 1 / (SlopeNodes::cheap_ratio + 1.5);  // wide enough for a sample to hit, and cheap
  int passes_ = 0;
  std::optional<TemperatureFit> fit_;
};

/// Nodes around β, `spacing`·β apart, moved so that they do not leave the range searched.
SlopeNodes nodes_around(double beta, double spacing);

/// Searches on rows in memory: logits [n, K], labels [n], in range and finite, n ≥ 1.
TemperatureFit fit_temperature(const float* logits, const int64_t* labels, int64_t n, int64_t classes);

}  // namespace smoothlab::eval
