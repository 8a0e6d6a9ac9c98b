#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/log.h"
#include "data/dataset.h"

namespace smoothlab::data {

/// A sample that cannot be decoded, and the one whose contents take their place.
struct DamagedSample {
  int64_t sample = 0, stand_in = 0;
  std::string problem;  ///< with the file
};

/// Which images of a split turned out to be damaged, as far as this process knows. Says when they are too
/// many; which image takes a damaged one's place does not depend on it. Thread-safe.
class DamagedImages {
 public:
  /// origin: what errors call the split. most: share of its `samples` that may be damaged, 0 … 1.
  DamagedImages(std::string origin, int64_t samples, double most);

  /// Takes in an image that was found here; one that is known already is passed over. Throws DataError where
  /// they are more than may be.
  void add(const DamagedSample& damaged);
  /// The same of one that another rank found.
  void learn(const DamagedSample& damaged);
  /// What has been found here since the last call.
  std::vector<DamagedSample> take_new();

 private:
  void check(const DamagedSample& last) const;

  const std::string origin_;
  const int64_t samples_;
  const double most_;
  std::mutex mutex_;
  std::set<int64_t> known_;
  std::vector<DamagedSample> new_;
};

/// Tells all ranks what any of them has found damaged since the last time, so that they count alike, and the
/// log: each image once. Collective. Throws DataError on all of them where they are more than may be.
void settle_damaged(const Dataset& dataset, cluster::Communicator& communicator, cluster::Log& log);

}  // namespace smoothlab::data
