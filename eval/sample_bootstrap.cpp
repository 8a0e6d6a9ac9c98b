#include "eval/sample_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

constexpr size_t groups = 2048;
constexpr uint64_t grouping = 1;  // beside 0, the address of replicates

size_t group_of(uint64_t seed, int64_t sample_id) {
  constexpr uint64_t most = (uint64_t{1} << 56) - 1;
  return AddressedRandom(seed, Purpose::bootstrap, grouping, static_cast<uint64_t>(sample_id) & most)
             .bits(0) %
         groups;
}

}  // namespace

bool samples_repeat(const LogitFile& file) {
  if (!file.has("sample_id")) return false;
  constexpr int64_t block = int64_t{1} << 17;
  std::vector<int64_t> ids(static_cast<size_t>(std::min(block, file.rows())));
  bool ascending = true;
  int64_t before = 0;
  for (int64_t first = 0; first < file.rows() && ascending; first += block) {
    const int64_t count = std::min(block, file.rows() - first);
    file.read_sample_ids(first, count, ids.data());
    for (int64_t i = 0; i < count && ascending; ++i) {
      const int64_t id = ids[static_cast<size_t>(i)];
      if (first + i > 0 && id == before) return true;
      ascending = first + i == 0 || id > before;
      before = id;
    }
  }
  if (ascending) return false;
  ids.resize(static_cast<size_t>(file.rows()));
  file.read_sample_ids(0, file.rows(), ids.data());
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

SampleBootstrap::SampleBootstrap(int bins, uint64_t seed)
    : bins_(static_cast<size_t>(bins)), seed_(seed), rows_(groups), differences_(groups * bins_) {}

void SampleBootstrap::add(int64_t sample_id, int bin, double confidence, bool correct) {
  const size_t group = group_of(seed_, sample_id);
  rows_[group] += 1;
  if (bin >= 0) differences_[group * bins_ + static_cast<size_t>(bin)] += (correct ? 1 : 0) - confidence;
}

double SampleBootstrap::resampled_ece(const std::vector<size_t>& filled, int replicate) const {
  const AddressedRandom random(seed_, Purpose::bootstrap, 0, static_cast<uint64_t>(replicate));
  std::vector<int> drawn(filled.size());
  for (uint32_t i = 0; i < filled.size(); ++i)
    ++drawn[static_cast<size_t>(random.uniform(i) * static_cast<double>(filled.size()))];
  std::vector<double> differences(bins_);
  double rows = 0;
  for (size_t i = 0; i < filled.size(); ++i) {
    if (drawn[i] == 0) continue;
    rows += drawn[i] * rows_[filled[i]];
    const double* of_group = differences_.data() + filled[i] * bins_;
    for (size_t bin = 0; bin < bins_; ++bin) differences[bin] += drawn[i] * of_group[bin];
  }
  return std::accumulate(differences.begin(), differences.end(), 0.0,
                         [](double sum, double difference) { return sum + std::abs(difference); }) /
         rows;
}

Interval SampleBootstrap::ece(int replicates, double level, int threads) const {
  std::vector<size_t> filled;
  for (size_t group = 0; group < groups; ++group)
    if (rows_[group] > 0) filled.push_back(group);
  return percentile_interval(replicates, level, threads,
                             [&](int replicate) { return resampled_ece(filled, replicate); });
}

}  // namespace smoothlab::eval
