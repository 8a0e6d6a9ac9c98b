#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "data/batch_order.h"

namespace smoothlab::data {

/// Global batches of a budget of padded tokens. Samples are put into buckets by their length, whose bounds
/// grow by a tenth; a bucket's samples are cut into equally many a batch as fit. How many batches an epoch
/// has therefore never changes; which samples of a bucket share one, and the order of all batches, are
/// shuffled anew each epoch, addressed by (seed, epoch).
class TokenOrder final : public BatchOrder {
 public:
  /// lengths: of each sample, in tokens, ≥ 1. budget ≥ 1. Throws UsageError for no samples.
  TokenOrder(uint64_t seed, const std::vector<int64_t>& lengths, int64_t budget);

  int64_t size(int64_t step) const override;
  int64_t largest() const override { return largest_; }
  std::vector<SampleAddress> at(int64_t step, int64_t first, int64_t count) const override;
  double epochs(int64_t steps) const override;
  int64_t steps(int64_t epochs) const override { return epochs * batches(); }

  /// Of an epoch.
  int64_t batches() const { return static_cast<int64_t>(batches_.size()); }
  /// Share of the batches' padded tokens that are none, over an epoch: 0 to 1.
  double padding() const { return padding_; }

 private:
  /// A run of places in an epoch's samples, which stand bucket by bucket.
  struct Batch {
    int64_t first, count;
  };
  struct Epoch {
    int64_t number = -1;
    std::vector<uint32_t> samples;  ///< bucket by bucket, shuffled within each
    std::vector<uint32_t> order;    ///< of the batches
  };
  std::shared_ptr<const Epoch> epoch(int64_t number) const;
  const Batch& batch(const Epoch& epoch, int64_t step) const;

  uint64_t seed_;
  std::vector<uint32_t> bucket_of_;     ///< by sample
  std::vector<int64_t> bucket_starts_;  ///< in an epoch's samples
  std::vector<Batch> batches_;
  int64_t largest_ = 0;
  double padding_ = 0;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Epoch> recent_[2];
};

}  // namespace smoothlab::data
