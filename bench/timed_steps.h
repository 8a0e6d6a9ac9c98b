#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "cluster/communicator.h"

namespace smoothlab::bench {

struct TimedSteps {
  double median;  ///< seconds, of the slowest rank
  size_t count;   ///< on this rank
};

/// Does `step` for so many seconds on all ranks, equally often on each. Collective.
inline TimedSteps time_steps(cluster::Communicator& communicator, double seconds,
                             const std::function<void()>& step) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  constexpr size_t between_agreements = 4;
  std::vector<double> times;
  communicator.barrier();
  const auto start = Clock::now();
  for (bool goes_on = true; goes_on;) {
    const auto begin = Clock::now();
    step();
    times.push_back(since(begin));
    if (times.size() % between_agreements == 0) goes_on = communicator.agree_all(since(start) < seconds);
  }
  std::sort(times.begin(), times.end());
  const auto nanoseconds = static_cast<int64_t>(1e9 * times[times.size() / 2]);
  return {1e-9 * static_cast<double>(communicator.agree_max(nanoseconds)), times.size()};
}

}  // namespace smoothlab::bench
