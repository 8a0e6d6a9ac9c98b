#pragma once

#include <chrono>
#include <cstdint>

#include "cluster/communicator.h"
#include "cluster/stop_signal.h"

namespace smoothlab::trainer {

/// Ranks agree at step boundaries whether to stop. Asking costs a small allreduce, which steps of a
/// millisecond would feel, so the ranks ask every so many steps, a number that they choose together from the
/// time that the slowest took.
///
/// A stop comes at once on a rank by itself, at the next boundary where steps take more than 25 ms, and never
/// later than after most_steps more.
class StopAgreement {
 public:
  static constexpr int64_t most_steps = 8;

  StopAgreement(cluster::Communicator& communicator, const cluster::StopSignal& signal);

  struct Answer {
    /// What any rank was asked; finish and requeue together are requeue.
    cluster::StopRequest request = cluster::StopRequest::none;
    bool trouble = false;  ///< any rank has trouble
  };

  /// At every step boundary, on every rank. trouble: this rank has some that all must hear of.
  Answer at_boundary(bool trouble);
  /// The same, certain to ask; on every rank alike.
  Answer ask(bool trouble);

 private:
  cluster::Communicator& communicator_;
  const cluster::StopSignal& signal_;
  int64_t interval_ = 1, boundaries_ = 0;
  std::chrono::steady_clock::time_point asked_;
};

/// Steps until the ranks ask again, when the last `steps` took `microseconds` on the slowest rank: about 50
/// ms, at most twice as many as before, 1 to StopAgreement::most_steps.
int64_t next_stop_interval(int64_t steps, int64_t microseconds);

}  // namespace smoothlab::trainer
