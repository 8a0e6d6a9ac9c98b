#include "eval/equivalent_smoothing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/error.h"
#include "eval/logit_chunks.h"

namespace smoothlab::eval {

EquivalentSmoothing::EquivalentSmoothing(std::vector<double> temperatures, int64_t classes)
    : temperatures_(std::move(temperatures)), classes_(classes), sums_(temperatures_.size() + 1, 0.0) {
  for (const double temperature : temperatures_)
    if (!(temperature > 0) || !std::isfinite(temperature))
      throw UsageError(fmt::format("a temperature of {}", temperature), "temperature",
                       "choose one above 0, such as 2");
}

void EquivalentSmoothing::add(const float* logits, const int64_t* labels, int64_t n) {
  for (int64_t row = 0; row < n; ++row) {
    const float* z = logits + row * classes_;
    const double highest = *std::max_element(z, z + classes_);
    for (size_t t = 0; t < temperatures_.size(); ++t) {
      // Summed apart from the true class, whose share may round to 1.
      double off = 0;
      for (int64_t k = 0; k < classes_; ++k)
        if (k != labels[row]) off += std::exp((static_cast<double>(z[k]) - highest) / temperatures_[t]);
      const double on = std::exp((static_cast<double>(z[labels[row]]) - highest) / temperatures_[t]);
      sums_[t] += off / (off + on);
    }
  }
  sums_.back() += static_cast<double>(n);
}

std::vector<double> EquivalentSmoothing::gamma() const {
  const double k = static_cast<double>(classes_);
  std::vector<double> all;
  for (size_t t = 0; t < temperatures_.size(); ++t) all.push_back(sums_[t] / rows() * k / (k - 1));
  return all;
}

EquivalentSmoothing equivalent_smoothing(const LogitFile& file, const std::vector<double>& temperatures) {
  EquivalentSmoothing smoothing(temperatures, file.classes());
  for_each_chunk(
      file, 1, [&](int, const LogitChunk& chunk) { smoothing.add(chunk.logits, chunk.labels, chunk.rows); });
  return smoothing;
}

}  // namespace smoothlab::eval
