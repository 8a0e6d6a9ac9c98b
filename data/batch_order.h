#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/dataset.h"

namespace smoothlab::data {

/// How much of a split makes a global batch.
struct BatchSize {
  int64_t samples = 128;
  /// Padded tokens in place of samples; 0: samples count. A batch has as many samples of about one length as
  /// fit, at least one: samples × (the longest one's Dataset::tokens()) ≤ tokens.
  int64_t tokens = 0;
};

/// Which samples a run sees in which step: a function of (seed, split, batch size) alone, whatever the number
/// of ranks. Each sample comes once an epoch. Thread-safe.
class BatchOrder {
 public:
  virtual ~BatchOrder() = default;
  /// Samples of a step's global batch, and the most that any step has.
  virtual int64_t size(int64_t step) const = 0;
  virtual int64_t largest() const = 0;
  /// Those at places [first, first + count) of it.
  virtual std::vector<SampleAddress> at(int64_t step, int64_t first, int64_t count) const = 0;
  /// Passes over the split that so many steps make.
  virtual double epochs(int64_t steps) const = 0;
  /// Steps that so many passes take; the last one may reach into the next pass.
  virtual int64_t steps(int64_t epochs) const = 0;
};

/// Batches of samples: sample i of step s stands at position s·G + i of the endless concatenation of the
/// epochs' permutations. Batches of tokens: token_order.h. Throws UsageError.
std::shared_ptr<const BatchOrder> make_batch_order(const Dataset& split, uint64_t seed,
                                                   const BatchSize& size);

}  // namespace smoothlab::data
