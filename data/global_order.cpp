#include "data/global_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::data {

std::vector<uint32_t> epoch_permutation(uint64_t seed, int64_t epoch, int64_t n, Shuffled what) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const AddressedRandom random(seed, Purpose::shuffle, epoch, static_cast<uint64_t>(what));
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[i], order[random.below(i + 1, static_cast<uint32_t>(i))]);
  return order;
}

GlobalOrder::GlobalOrder(uint64_t seed, int64_t samples) : seed_(seed), samples_(samples) {
  if (samples < 1 || samples > int64_t{UINT32_MAX})
    throw UsageError(fmt::format("cannot train on {} samples", samples), "task", "hold out fewer samples");
}

GlobalOrder::Permutation GlobalOrder::permutation(int64_t epoch) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Cached& cached : recent_)
    if (cached.epoch == epoch) return cached.order;
  Cached& older = recent_[0].epoch < recent_[1].epoch ? recent_[0] : recent_[1];
  older = {epoch, std::make_shared<const std::vector<uint32_t>>(epoch_permutation(seed_, epoch, samples_))};
  return older.order;
}

std::vector<SampleAddress> GlobalOrder::at(int64_t first, int64_t count) const {
  std::vector<SampleAddress> result;
  result.reserve(count);
  for (int64_t position = first; position < first + count;) {
    const int64_t epoch = position / samples_;
    const int64_t end = std::min(first + count, (epoch + 1) * samples_);
    const Permutation order = permutation(epoch);
    for (; position < end; ++position) result.push_back({(*order)[position - epoch * samples_], epoch});
  }
  return result;
}

}  // namespace smoothlab::data
