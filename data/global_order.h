#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "data/dataset.h"

namespace smoothlab::data {

/// Uniformly random order of n samples in an epoch: Fisher and Yates's shuffle, whose draw i is addressed by
/// (seed, Purpose::shuffle, epoch, what, i). n < 2^32.
enum class Shuffled : uint8_t { samples = 0, batches = 1 };
std::vector<uint32_t> epoch_permutation(uint64_t seed, int64_t epoch, int64_t n,
                                        Shuffled what = Shuffled::samples);

/// The one order in which a run sees its samples: the endless concatenation of the epochs' permutations.
/// A function of (seed, number of samples) alone. Thread-safe.
class GlobalOrder {
 public:
  /// samples ≥ 1. Throws UsageError.
  GlobalOrder(uint64_t seed, int64_t samples);
  /// Samples at positions [first, first + count).
  std::vector<SampleAddress> at(int64_t first, int64_t count) const;

 private:
  using Permutation = std::shared_ptr<const std::vector<uint32_t>>;
  Permutation permutation(int64_t epoch) const;

  uint64_t seed_;
  int64_t samples_;
  mutable std::mutex mutex_;
  /// The two epochs used last: batches collated at the same time stand at most on a boundary.
  struct Cached {
    int64_t epoch = -1;
    Permutation order;
  };
  mutable Cached recent_[2];
};

}  // namespace smoothlab::data
