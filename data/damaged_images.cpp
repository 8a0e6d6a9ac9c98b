#include "data/damaged_images.h"

#include <fmt/format.h>

#include <utility>

#include "cluster/error.h"

namespace smoothlab::data {

DamagedImages::DamagedImages(std::string origin, int64_t samples, double most)
    : origin_(std::move(origin)), samples_(samples), most_(most) {}

void DamagedImages::add(const DamagedSample& damaged) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!known_.insert(damaged.sample).second) return;
  const auto count = static_cast<int64_t>(known_.size());
  if (static_cast<double>(count) > most_ * static_cast<double>(samples_))
    throw DataError(
        fmt::format("{} of {} images found damaged, the last: {}", count, samples_, damaged.problem), origin_,
        fmt::format("replace the files, or allow for more than task.damaged: {}", most_));
  new_.push_back(damaged);
  new_.back().found = count;
}

std::vector<DamagedSample> DamagedImages::take_new() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(new_, {});
}

void tell_damaged(const Dataset& dataset, cluster::Log& log) {
  for (const DamagedSample& damaged : dataset.take_damaged())
    log.warning("damaged image {}: {}; for sample {}, sample {} of its class stands in", damaged.found,
                damaged.problem, damaged.sample, damaged.stand_in);
}

}  // namespace smoothlab::data
