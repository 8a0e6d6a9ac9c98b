#include "eval/temperature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "eval/row_judge.h"

namespace smoothlab::eval {
namespace {

constexpr double narrow_spacing = 0.02;
constexpr double lowest_beta = 1 / highest_temperature, highest_beta = 1 / lowest_temperature;

/// The polynomial through values and derivatives at some points: divided differences with every abscissa
/// taken twice.
class Hermite {
 public:
  void add(double x, double value, double derivative) {
    for (int twice = 0; twice < 2; ++twice) {
      x_.push_back(x);
      coefficients_.push_back(value);
      derivatives_.push_back(derivative);
    }
  }
  void solve() {
    for (size_t order = 1; order < x_.size(); ++order)
      for (size_t i = x_.size() - 1; i >= order; --i)
        coefficients_[i] = x_[i] == x_[i - order]
                               ? derivatives_[i]
                               : (coefficients_[i] - coefficients_[i - 1]) / (x_[i] - x_[i - order]);
  }
  double operator()(double x) const {
    double value = coefficients_.back();
    for (size_t i = x_.size() - 1; i-- > 0;) value = value * (x - x_[i]) + coefficients_[i];
    return value;
  }

 private:
  std::vector<double> x_, coefficients_, derivatives_;
};

double bisect(const Hermite& polynomial, double low, double high) {
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (polynomial(middle) <= 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

std::string fit_end_name(FitEnd end) {
  switch (end) {
    case FitEnd::lower_bound:
      return "lower_bound";
    case FitEnd::upper_bound:
      return "upper_bound";
    case FitEnd::flat:
      return "flat";
    case FitEnd::given:
      return "given";
    case FitEnd::interior:
      break;
  }
  return "interior";
}

void NllSlopes::add(const NllSlopes& other) {
  for (size_t node = 0; node < first.size(); ++node) {
    first[node] += other.first[node];
    second[node] += other.second[node];
  }
}

SlopeNodes nodes_around(double beta, double spacing) {
  constexpr int last = SlopeNodes::count - 1;
  const double step = spacing * beta;
  const double begin = std::clamp(beta - 0.5 * last * step, lowest_beta, highest_beta - last * step);
  const auto single = static_cast<float>(step), cheap = SlopeNodes::cheap_ratio * single;
  return {std::abs(cheap - begin) < 1e-3 * begin ? cheap : static_cast<float>(begin), single};
}

TemperatureSearch::TemperatureSearch(double start_temperature)
    : least_(highest_beta),
      most_(lowest_beta),
      silent_(std::numeric_limits<double>::infinity()),
      wanted_(std::clamp(1 / start_temperature, lowest_beta, highest_beta)) {}

void TemperatureSearch::add(SlopeNodes nodes, const NllSlopes& slopes) {
  if (done()) return;
  ++passes_;
  std::vector<Point> points;
  std::optional<Point> before, after;  // of this pass, around the root
  for (size_t node = 0; node < SlopeNodes::count; ++node) {
    const Point point{nodes.at(static_cast<int>(node)), slopes.first[node], slopes.second[node]};
    points.push_back(point);
    least_ = std::min(least_, point.beta);
    most_ = std::max(most_, point.beta);
    // Where every exponential but the largest is below what a float holds, the slope is 0 and says nothing:
    // the root, if there is one, is at a smaller β.
    if (point.first == 0 && point.second == 0)
      silent_ = std::min(silent_, point.beta);
    else if (point.first > 0 && !after)
      after = point;
    else if (point.first <= 0 && !after)
      before = point;
  }
  if (before && after) {
    const auto root = [&](auto begin, auto end) {
      Hermite polynomial;
      for (auto it = begin; it != end; ++it) polynomial.add(it->beta, it->first, it->second);
      polynomial.solve();
      return bisect(polynomial, before->beta, after->beta);
    };
    const double beta = root(points.begin(), points.end());
    // The outermost node that is further away is left out.
    const bool last_is_further = points.back().beta - beta > beta - points.front().beta;
    const double check =
        last_is_further ? root(points.begin(), points.end() - 1) : root(points.begin() + 1, points.end());
    const bool closest = points[1].beta - points[0].beta <= 1.5 * narrow_spacing * beta;
    if (closest || std::abs(beta - check) <= 1e-5 * beta) return finish(beta, FitEnd::interior);
    spacing_ = narrow_spacing;
    wanted_ = beta;
    return;
  }
  if (before && (!low_ || before->beta > low_->beta)) low_ = before;
  if (after && (!high_ || after->beta < high_->beta)) high_ = after;
  go_on();
}

void TemperatureSearch::go_on() {
  // β is rounded to single precision in the nodes; this close to an end of the range it is that end.
  const bool at_lowest = least_ <= lowest_beta * (1 + 1e-6), at_highest = most_ >= highest_beta * (1 - 1e-6);
  const auto newton = [](const Point& from) {
    return from.second > 0  ? from.beta - from.first / from.second
           : from.first < 0 ? highest_beta
                            : lowest_beta;
  };
  if (low_ && high_) {
    Hermite cubic;
    cubic.add(low_->beta, low_->first, low_->second);
    cubic.add(high_->beta, high_->first, high_->second);
    cubic.solve();
    wanted_ = passes_ > 10 ? std::sqrt(low_->beta * high_->beta) : bisect(cubic, low_->beta, high_->beta);
  } else if (low_) {
    if (at_highest || silent_ < highest_beta) return finish(highest_beta, FitEnd::lower_bound);
    wanted_ = std::clamp(newton(*low_), low_->beta * 1.05, low_->beta * 4);
  } else if (high_) {
    if (at_lowest) return finish(lowest_beta, FitEnd::upper_bound);
    wanted_ = std::clamp(newton(*high_), high_->beta / 4, high_->beta / 1.05);
  } else {
    if (at_lowest) return finish(1, FitEnd::flat);
    wanted_ = least_ / 4;
  }
  wanted_ = std::clamp(wanted_, lowest_beta, highest_beta);
}

TemperatureFit fit_temperature(const float* logits, const int64_t* labels, int64_t n, int64_t classes) {
  RowJudge judge(classes, 1);
  TemperatureSearch search;
  while (!search.done()) {
    const SlopeNodes nodes = nodes_around(search.wanted(), search.spacing());
    NllSlopes slopes;
    for (int64_t i = 0; i < n; ++i) {
      judge.take(logits + i * classes, labels[i]);
      judge.slopes(nodes, slopes.first.data(), slopes.second.data());
    }
    search.add(nodes, slopes);
  }
  return search.fit();
}

}  // namespace smoothlab::eval
