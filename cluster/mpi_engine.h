#pragma once

#include <ATen/core/Tensor.h>
#include <mpi.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/mpi_watch.h"

namespace smoothlab::cluster {

/// A collective under way. Large ones go piece by piece: MPI counts in 32 bits, and the scratch memory that
/// an MPI takes for a piece of this size stays in the allocator and in the cache.
struct MpiOperation {
  /// Issues one piece: count elements from number `first` of the tensor's memory.
  using Issue = std::function<int(char* base, int64_t first, int count, MPI_Comm, MPI_Request*)>;

  const char* name = "";
  int64_t number = 0;  ///< of this process's collectives, from 1
  at::Tensor tensor;
  Issue issue;
  int64_t elements = 0, issued = 0, chunk = 0, bytes = 0;
  int pieces_under_way = 0;
  std::exception_ptr failure;
  bool done = false;
};

/// Owns MPI in this process and moves non-blocking collectives on. All calls of MPI are made under one lock.
/// Whoever waits for a collective moves them on itself, so that a small one costs no change of thread; while
/// nobody waits, a thread of the engine does, sleeping most of the time so that it hardly disturbs the
/// computation that it shares the cores with.
class MpiEngine {
 public:
  static constexpr int64_t chunk_bytes = int64_t{1} << 20;

  /// Starts MPI. Throws EnvironmentError where it cannot, or where MPI has been started before.
  MpiEngine();
  /// Ends MPI together with the peers; during the unwinding of an exception leaves without them.
  ~MpiEngine();
  MpiEngine(const MpiEngine&) = delete;
  MpiEngine& operator=(const MpiEngine&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }

  /// Starts a collective over `elements` of the tensor's memory, each `width` bytes. Collectives, and
  /// their pieces, go to MPI in the order of these calls, whatever the timing.
  std::shared_ptr<MpiOperation> start(const char* name, const at::Tensor& tensor, int64_t elements,
                                      int64_t width, MpiOperation::Issue issue);
  /// Returns when the operation is done; throws what it failed with.
  void wait(const MpiOperation& operation);
  /// See Communicator::watch_for_stalls.
  void watch(std::chrono::milliseconds limit, StallAction act);
  /// Lets another carrier of collectives add to this rank's heartbeats what it has begun and waits for; what
  /// it throws ends the watch as a stall does. Null: nobody.
  void observe(std::function<void(Heartbeat&)> look);
  /// The number of a collective that somebody else carries, counted together with those of MPI.
  int64_t count_collective();
  [[noreturn]] void abort(int exit_code);

 private:
  using Clock = std::chrono::steady_clock;
  Heartbeat heartbeat() const;
  std::optional<Error> beat();
  /// Beats when it is time to; the lock is given up while a stall is acted upon.
  void beat_if_due(std::unique_lock<std::mutex>& lock);
  void require(int code, const char* action) const;
  void note_failure(MpiOperation& operation, int code) const;
  void issue_pieces();
  /// Tests the pieces under way and issues further ones; true where any has ended.
  bool advance();
  void run_in_background();

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  const int exceptions_at_start_ = std::uncaught_exceptions();

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<MpiOperation>> queue_;  ///< those that still have pieces to issue
  std::vector<std::pair<MPI_Request, std::shared_ptr<MpiOperation>>> under_way_;
  int64_t started_ = 0;
  int waiting_ = 0;
  const MpiOperation* waiting_for_ = nullptr;  ///< the collective that a caller waits for, and since when
  Clock::time_point waiting_since_;
  bool stopping_ = false;
  std::optional<MpiWatch> watch_;
  StallAction on_stall_;  ///< null: nothing is watched, or no longer
  std::function<void(Heartbeat&)> look_;
  Clock::time_point next_beat_;
  std::thread background_;
};

}  // namespace smoothlab::cluster
