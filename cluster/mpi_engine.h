#pragma once

#include <ATen/core/Tensor.h>
#include <mpi.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace smoothlab::cluster {

/// A collective under way: its requests, and the tensor that they read and write.
struct MpiOperation {
  const char* name = "";
  at::Tensor tensor;
  std::vector<MPI_Request> requests;
  bool done = false;
  std::exception_ptr failure;
};

/// Owns MPI in this process and moves non-blocking collectives on. All calls of MPI are made under one lock.
/// Whoever waits for a collective moves them on itself, so that a small one costs no change of thread; while
/// nobody waits, a thread of the engine does, sleeping most of the time so that it hardly disturbs the
/// computation that it shares the cores with.
class MpiEngine {
 public:
  /// Elements, or bytes, of one MPI call: far below INT_MAX. Larger tensors go in pieces.
  static constexpr int64_t chunk = int64_t{1} << 24;

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

  /// Issues one piece: count elements from number `first` of the memory at `base`.
  using Issue = std::function<int(char* base, int64_t first, int count, MPI_Comm, MPI_Request*)>;
  /// Starts a collective over `elements` of the tensor's memory, in pieces. Collectives start in the order
  /// of these calls.
  std::shared_ptr<MpiOperation> start(const char* name, const at::Tensor& tensor, int64_t elements,
                                      const Issue& issue);
  /// Returns when the operation is done; throws what it failed with.
  void wait(const MpiOperation& operation);
  [[noreturn]] void abort(int exit_code);

 private:
  void require(int code, const char* action) const;
  void advance();
  void run_in_background();

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  const int exceptions_at_start_ = std::uncaught_exceptions();

  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<std::shared_ptr<MpiOperation>> under_way_;
  int waiting_ = 0;
  bool stopping_ = false;
  std::thread background_;
};

}  // namespace smoothlab::cluster
