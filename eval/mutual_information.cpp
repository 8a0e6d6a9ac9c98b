#include "eval/mutual_information.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

/// Exponents this far below the largest add nothing that a double shows.
constexpr double negligible = 40;

void check(const std::vector<double>& f, int64_t examples, int64_t draws) {
  if (examples < 1 || draws < 2)
    throw UsageError(fmt::format("{} examples with {} draws each", examples, draws), "mutual information",
                     "give at least one example and two draws of each: the noise is told from them");
  if (static_cast<int64_t>(f.size()) != examples * draws)
    throw UsageError(
        fmt::format("{} values are not {} examples with {} draws each", f.size(), examples, draws),
        "mutual information", "give as many draws of every example");
  for (size_t i = 0; i < f.size(); ++i)
    if (!std::isfinite(f[i]))
      throw DataError(fmt::format("draw {} of example {} is {}", static_cast<int64_t>(i) % draws,
                                  static_cast<int64_t>(i) / draws, f[i]),
                      "mutual information", "find out why the network gave it");
}

/// Exactly the value of the draws where they are equal.
double mean_of(const double* draws, int64_t count) {
  double sum = 0;
  for (int64_t l = 1; l < count; ++l) sum += draws[l] - draws[0];
  return draws[0] + sum / static_cast<double>(count);
}

/// Entropy of the partition into equal values; `sorted`.
double partition_entropy(const std::vector<double>& sorted) {
  const auto n = static_cast<double>(sorted.size());
  double entropy = 0;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::upper_bound(begin, sorted.end(), *begin);
    const double part = static_cast<double>(end - begin) / n;
    entropy -= part * std::log(part);
    begin = end;
  }
  return std::max(0.0, entropy);
}

/// log Σ_x exp(−(f − µ_x)²·scale), µ sorted: outward from where f stands, until terms are negligible.
double log_sum(double f, const std::vector<double>& means, double scale) {
  const auto here = std::lower_bound(means.begin(), means.end(), f);
  const auto exponent = [&](double mean) { return -(f - mean) * (f - mean) * scale; };
  double most = here == means.end() ? exponent(means.back()) : exponent(*here);
  if (here != means.begin()) most = std::max(most, exponent(*(here - 1)));
  double sum = 0;
  for (auto it = here; it != means.end() && exponent(*it) > most - negligible; ++it)
    sum += std::exp(exponent(*it) - most);
  for (auto it = here; it != means.begin() && exponent(*(it - 1)) > most - negligible; --it)
    sum += std::exp(exponent(*(it - 1)) - most);
  return most + std::log(sum);
}

}  // namespace

MutualInformation mutual_information(const std::vector<double>& f, int64_t examples, int64_t draws,
                                     int threads) {
  check(f, examples, draws);
  const auto n = static_cast<double>(examples), l = static_cast<double>(draws);
  MutualInformation result{examples, draws, 0, 0, std::log(n), 0.5 * std::log(l / (l - 1))};
  std::vector<double> means;
  double squares = 0;
  for (int64_t x = 0; x < examples; ++x) {
    const double* of_x = f.data() + x * draws;
    means.push_back(mean_of(of_x, draws));
    for (int64_t i = 0; i < draws; ++i) squares += (of_x[i] - means.back()) * (of_x[i] - means.back());
  }
  result.variance = squares / (n * l);
  std::sort(means.begin(), means.end());
  const double scale = 0.5 / result.variance;
  if (!std::isfinite(scale)) {
    result.information = partition_entropy(means);
    return result;
  }
  std::vector<double> logs(static_cast<size_t>(examples));
  for_each_index(0, examples, std::max(1, thread_count(threads)), [&](int, int64_t x) {
    double sum = 0;
    for (int64_t i = 0; i < draws; ++i) sum += log_sum(f[static_cast<size_t>(x * draws + i)], means, scale);
    logs[static_cast<size_t>(x)] = sum;
  });
  double sum = 0;
  for (const double of_x : logs) sum += of_x;
  // The first term of the estimate is −½ by what σ² is.
  result.information = -0.5 - sum / (n * l) + std::log(n);
  return result;
}

}  // namespace smoothlab::eval
