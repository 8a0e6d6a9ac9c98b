#pragma once

#include <chrono>
#include <cstdint>

#include "cluster/communicator.h"
#include "cluster/stop_signal.h"

namespace smoothlab::trainer {

/// Ranks agree at step boundaries whether to stop. Asking costs a small allreduce, so they ask only every so
/// many steps, and choose the number together from the time that the slowest took: about half a second.
class StopAgreement {
 public:
  StopAgreement(cluster::Communicator& communicator, const cluster::StopSignal& signal);

  /// At every step boundary, on every rank. What any rank was asked; finish and requeue together are requeue.
  cluster::StopRequest at_boundary();

 private:
  cluster::Communicator& communicator_;
  const cluster::StopSignal& signal_;
  int64_t interval_ = 1, boundaries_left_ = 1;
  std::chrono::steady_clock::time_point asked_;
};

/// Steps until the ranks ask again, when the last `steps` took `milliseconds` on the slowest rank.
int64_t next_stop_interval(int64_t steps, int64_t milliseconds);

}  // namespace smoothlab::trainer
