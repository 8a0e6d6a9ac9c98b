#pragma once

#include <mpi.h>

#include <chrono>
#include <optional>

#include "cluster/error.h"
#include "cluster/stall_judge.h"

namespace smoothlab::cluster {

/// Heartbeats of the ranks over MPI: each tells rank 0 how far it is, and rank 0 finds out who keeps the
/// others waiting. Calls of MPI are the caller's to serialise.
class MpiWatch {
 public:
  using Clock = StallJudge::Clock;

  /// Collective.
  MpiWatch(MPI_Comm ranks, std::chrono::milliseconds limit);
  MpiWatch(const MpiWatch&) = delete;
  MpiWatch& operator=(const MpiWatch&) = delete;

  /// Time from one beat() to the next.
  std::chrono::milliseconds interval() const { return interval_; }
  /// Tells of this rank, and on rank 0 hears the others. An error where ranks have waited longer than the
  /// limit: on rank 0, or where that one is silent itself, on those that wait.
  std::optional<Error> beat(const Heartbeat& own);
  /// Ends it in good order. Collective.
  void close();

 private:
  void tell(const Heartbeat& own);
  void hear();

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  Heartbeat root_;  ///< of rank 0: its host
  std::chrono::milliseconds limit_, interval_;
  std::optional<StallJudge> judge_;  // rank 0
  Heartbeat told_;                   ///< what is on its way
  MPI_Request telling_ = MPI_REQUEST_NULL;
  int others_ = 0;  ///< on rank 0: ranks whose last heartbeat has yet to come
};

}  // namespace smoothlab::cluster
