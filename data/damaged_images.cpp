#include "data/damaged_images.h"

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

using nlohmann::json;

std::string packed(const std::vector<DamagedSample>& list) {
  json all = json::array();
  for (const DamagedSample& one : list) all.push_back({one.sample, one.stand_in, one.problem});
  return all.dump(-1, ' ', false, json::error_handler_t::replace);  // names of files are any bytes
}

std::vector<DamagedSample> unpacked(const std::string& text) {
  std::vector<DamagedSample> list;
  for (const json& one : json::parse(text))
    list.push_back({one.at(0).get<int64_t>(), one.at(1).get<int64_t>(), one.at(2).get<std::string>()});
  return list;
}

}  // namespace

DamagedImages::DamagedImages(std::string origin, int64_t samples, double most)
    : origin_(std::move(origin)), samples_(samples), most_(most) {}

void DamagedImages::add(const DamagedSample& damaged) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!known_.insert(damaged.sample).second) return;
  new_.push_back(damaged);
  check(damaged);
}

void DamagedImages::learn(const DamagedSample& damaged) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (known_.insert(damaged.sample).second) check(damaged);
}

void DamagedImages::check(const DamagedSample& last) const {
  const auto count = static_cast<int64_t>(known_.size());
  if (static_cast<double>(count) <= most_ * static_cast<double>(samples_)) return;
  throw DataError(fmt::format("{} of {} images found damaged, the last: {}", count, samples_, last.problem),
                  origin_, fmt::format("replace the files, or allow for more than task.damaged: {}", most_));
}

std::vector<DamagedSample> DamagedImages::take_new() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(new_, {});
}

void settle_damaged(const Dataset& dataset, cluster::Communicator& communicator, cluster::Log& log) {
  DamagedImages* images = dataset.damaged_images();
  if (images == nullptr) return;
  const std::vector<std::string> of_ranks = communicator.allgather_text(packed(images->take_new()));
  std::set<int64_t> told;
  std::exception_ptr too_many;
  for (const std::string& text : of_ranks)
    for (const DamagedSample& damaged : unpacked(text)) {
      // All are named before the run ends.
      try {
        images->learn(damaged);
      } catch (const DataError&) {
        too_many = std::current_exception();
      }
      if (told.insert(damaged.sample).second && communicator.is_root())
        log.warning("damaged image: {}; for sample {}, sample {} of its class stands in", damaged.problem,
                    damaged.sample, damaged.stand_in);
    }
  if (too_many) std::rethrow_exception(too_many);
}

}  // namespace smoothlab::data
