#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "cluster/addressed_random.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

constexpr int slices = 32;

/// Numbers of one random address, one after the other.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t replicate, uint32_t& draw)
      : random_(seed, Purpose::bootstrap, 0, replicate), draw_(draw) {}
  double uniform() { return random_.uniform(draw_++); }

 private:
  AddressedRandom random_;
  uint32_t& draw_;
};

/// Adds up the distribution function from 0; n·p < 10, p ≤ ½.
int64_t by_inversion(int64_t n, double p, Draws& draws) {
  const double odds = p / (1 - p);
  double mass = std::exp(static_cast<double>(n) * std::log1p(-p)), u = draws.uniform();
  for (int64_t k = 0;; ++k) {
    if (u <= mass || k == n || mass == 0) return k;
    u -= mass;
    mass *= odds * static_cast<double>(n - k) / static_cast<double>(k + 1);
  }
}

/// Stirling's correction, log k! − [(k+½) log(k+1) − (k+1) + ½ log 2π].
double stirling_rest(double k) {
  const double inverse = 1 / (k + 1), square = inverse * inverse;
  if (k > 9) return (1.0 / 12 - (1.0 / 360 - square / 1260) * square) * inverse;
  double log_factorial = 0;
  for (int i = 2; i <= static_cast<int>(k); ++i) log_factorial += std::log(i);
  return log_factorial - ((k + 0.5) * std::log(k + 1) - (k + 1) + 0.5 * std::log(2 * M_PI));
}

/// Transformed rejection with squeeze (Hörmann 1993, "The generation of binomial random variates"), n·p ≥ 10.
int64_t by_rejection(int64_t trials, double p, Draws& draws) {
  const auto n = static_cast<double>(trials);
  const double spread = std::sqrt(n * p * (1 - p)), odds = p / (1 - p);
  const double b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5;
  const double v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread, mode = std::floor((n + 1) * p);
  while (true) {
    const double u = draws.uniform() - 0.5, us = 0.5 - std::abs(u);
    double v = draws.uniform();
    const double k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > n || us <= 0) continue;
    if (us >= 0.07 && v <= v_r) return static_cast<int64_t>(k);
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (n - mode + 1))) + stirling_rest(mode) +
                         stirling_rest(n - mode) + (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) - stirling_rest(k) -
                         stirling_rest(n - k);
    if (v <= bound) return static_cast<int64_t>(k);
  }
}

double percentile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1), below = std::floor(place);
  const auto i = static_cast<size_t>(below);
  return i + 1 < sorted.size() ? sorted[i] + (place - below) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

}  // namespace

int64_t binomial(int64_t n, double p, uint64_t seed, uint64_t replicate, uint32_t& draw) {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(n, 1 - p, seed, replicate, draw);
  Draws draws(seed, replicate, draw);
  return static_cast<double>(n) * p < 10 ? by_inversion(n, p, draws) : by_rejection(n, p, draws);
}

BootstrapCells::BootstrapCells(int bins) : bins_(bins), cells_(static_cast<size_t>(bins + 1) * slices * 2) {}

void BootstrapCells::add(int bin, double confidence, bool correct) {
  const double place = (confidence * bins_ - bin) * slices;
  const int slice = bin < 0 ? 0 : std::clamp(static_cast<int>(place), 0, slices - 1);
  const int index = ((bin < 0 ? bins_ : bin) * slices + slice) * 2 + (correct ? 1 : 0);
  Cell& cell = cells_[static_cast<size_t>(index)];
  cell.rows += 1;
  cell.confidence += confidence;
  rows_ += 1;
}

double BootstrapCells::resampled_ece(uint64_t seed, int replicate) const {
  uint32_t draw = 0;
  auto to_draw = static_cast<int64_t>(rows_);
  double left = rows_, error = 0;
  size_t i = 0;
  for (int bin = 0; bin < bins_; ++bin) {
    double difference = 0;
    for (int of_bin = 0; of_bin < slices * 2; ++of_bin, ++i) {
      const Cell& cell = cells_[i];
      if (cell.rows == 0) continue;
      const int64_t drawn = binomial(to_draw, cell.rows / left, seed, static_cast<uint64_t>(replicate), draw);
      to_draw -= drawn;
      left -= cell.rows;
      const double correct = i % 2 == 1 ? 1 : 0;
      difference += static_cast<double>(drawn) * (correct - cell.confidence / cell.rows);
    }
    error += std::abs(difference);
  }
  return error / rows_;
}

Interval BootstrapCells::ece(int replicates, uint64_t seed, double level, int threads) const {
  return percentile_interval(replicates, level, threads,
                             [&](int replicate) { return resampled_ece(seed, replicate); });
}

Interval percentile_interval(int replicates, double level, int threads,
                             const std::function<double(int replicate)>& resampled) {
  std::vector<double> values(static_cast<size_t>(replicates));
  on_threads(threads, [&](int worker) {
    for (int i = worker; i < replicates; i += threads) values[static_cast<size_t>(i)] = resampled(i);
  });
  std::sort(values.begin(), values.end());
  return {percentile(values, 0.5 * (1 - level)), percentile(values, 0.5 * (1 + level))};
}

}  // namespace smoothlab::eval
