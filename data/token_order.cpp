#include "data/token_order.h"

#include <algorithm>

#include "cluster/error.h"
#include "data/global_order.h"

namespace smoothlab::data {
namespace {

/// Lengths up to this have a bucket each.
constexpr int64_t finest = 8;

/// The bucket bounds above a length: the next one, and then ever a tenth further.
std::vector<int64_t> bounds_up_to(int64_t longest) {
  std::vector<int64_t> bounds;
  for (int64_t bound = 1; bounds.empty() || bounds.back() < longest;
       bound = bound < finest ? bound + 1 : std::max(bound + 1, bound * 11 / 10))
    bounds.push_back(bound);
  return bounds;
}

}  // namespace

TokenOrder::TokenOrder(uint64_t seed, const std::vector<int64_t>& lengths, int64_t budget) : seed_(seed) {
  if (lengths.empty() || lengths.size() > UINT32_MAX)
    throw UsageError("cannot train on " + std::to_string(lengths.size()) + " samples", "task",
                     "check the data set");
  const std::vector<int64_t> bounds = bounds_up_to(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<int64_t> counts(bounds.size(), 0), longest(bounds.size(), 0);
  int64_t tokens = 0, padded = 0;
  for (const int64_t length : lengths) {
    const auto bucket =
        static_cast<uint32_t>(std::lower_bound(bounds.begin(), bounds.end(), length) - bounds.begin());
    bucket_of_.push_back(bucket);
    ++counts[bucket];
    longest[bucket] = std::max(longest[bucket], length);
    tokens += length;
  }
  int64_t start = 0;
  for (size_t bucket = 0; bucket < bounds.size(); ++bucket) {
    bucket_starts_.push_back(start);
    if (counts[bucket] == 0) continue;
    const int64_t most = std::max<int64_t>(1, budget / longest[bucket]);
    const int64_t parts = (counts[bucket] + most - 1) / most;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = counts[bucket] * part / parts, end = counts[bucket] * (part + 1) / parts;
      batches_.push_back({start + first, end - first});
      largest_ = std::max(largest_, end - first);
    }
    padded += counts[bucket] * longest[bucket];
    start += counts[bucket];
  }
  padding_ = 1 - static_cast<double>(tokens) / static_cast<double>(padded);
}

std::shared_ptr<const TokenOrder::Epoch> TokenOrder::epoch(int64_t number) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& cached : recent_)
    if (cached && cached->number == number) return cached;
  auto made = std::make_shared<Epoch>();
  made->number = number;
  made->samples.resize(bucket_of_.size());
  std::vector<int64_t> next = bucket_starts_;
  for (const uint32_t sample : epoch_permutation(seed_, number, static_cast<int64_t>(bucket_of_.size())))
    made->samples[static_cast<size_t>(next[bucket_of_[sample]]++)] = sample;
  made->order = epoch_permutation(seed_, number, batches(), Shuffled::batches);
  auto& older =
      !recent_[0] || (recent_[1] && recent_[0]->number < recent_[1]->number) ? recent_[0] : recent_[1];
  older = made;
  return made;
}

const TokenOrder::Batch& TokenOrder::batch(const Epoch& epoch, int64_t step) const {
  return batches_[epoch.order[static_cast<size_t>(step % batches())]];
}

int64_t TokenOrder::size(int64_t step) const {
  return batch(*epoch(step / batches()), step).count;
}

std::vector<SampleAddress> TokenOrder::at(int64_t step, int64_t first, int64_t count) const {
  const auto now = epoch(step / batches());
  const auto* sample = &now->samples[static_cast<size_t>(batch(*now, step).first + first)];
  std::vector<SampleAddress> result;
  result.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) result.push_back({sample[i], now->number});
  return result;
}

double TokenOrder::epochs(int64_t steps) const {
  return static_cast<double>(steps) / static_cast<double>(batches());
}

}  // namespace smoothlab::data
