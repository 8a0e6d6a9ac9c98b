#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cluster/log.h"
#include "data/dataset.h"

namespace smoothlab::data {

/// Which images of a split turned out to be damaged. Keeps count and says when they are too many; which
/// image takes a damaged one's place does not depend on it. Thread-safe.
class DamagedImages {
 public:
  /// origin: what errors call the split. most: share of its `samples` that may be damaged, 0 … 1.
  DamagedImages(std::string origin, int64_t samples, double most);

  /// Takes an image in; one that is known already is passed over. Throws DataError where they are more than
  /// may be.
  void add(const DamagedSample& damaged);
  /// What has come in since the last call.
  std::vector<DamagedSample> take_new();

 private:
  const std::string origin_;
  const int64_t samples_;
  const double most_;
  std::mutex mutex_;
  std::set<int64_t> known_;
  std::vector<DamagedSample> new_;
};

/// Warns of every sample that a data set has found damaged since the last time, by name.
void tell_damaged(const Dataset& dataset, cluster::Log& log);

}  // namespace smoothlab::data
