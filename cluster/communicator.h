#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/DeviceType.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::cluster {

/// What to do about ranks that wait for one another too long; it does not return where it ends the job.
using StallAction = std::function<void(const Error&)>;

enum class Reduction { sum, max, min };

/// A collective under way. Destroying it without wait() waits.
class PendingCollective {
 public:
  virtual ~PendingCollective() = default;
  /// Returns when the result is in the tensor. Throws what the collective threw.
  virtual void wait() = 0;
};

/// The ranks of a job and what they do together. Every rank calls the same collectives in the same order
/// from one thread; tensors are dense and contiguous (any strides that cover their storage without gaps)
/// and of the same dtype (float32, float64, int64, int32, uint8; sums also of bf16), size and strides on all
/// ranks: what is combined are elements at the same place in memory, which nothing here checks. Backends:
/// solo, MPI; one for CUDA tensors may keep work on its own stream, hence the asynchronous form.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Rank and number of ranks on this node.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;
  virtual std::string backend() const = 0;
  /// Whether its collectives take tensors on such a device; those on the CPU always.
  virtual bool carries(c10::DeviceType type) const { return type == c10::DeviceType::CPU; }

  /// To be told on which device this rank computes, before the first collective on its tensors and before any
  /// graph is captured. shared: two ranks of the job compute on one device. Collective.
  virtual void attach(c10::Device device, bool shared = false);

  /// In place over all ranks. Bitwise the same result on every rank.
  virtual std::unique_ptr<PendingCollective> allreduce_async(at::Tensor tensor, Reduction reduction) = 0;
  void allreduce(const at::Tensor& tensor, Reduction reduction) {
    allreduce_async(tensor, reduction)->wait();
  }
  /// Root's tensor to all, in place.
  virtual void broadcast(const at::Tensor& tensor, int root) = 0;
  /// Tensors of equal shape [n, …] from every rank, one after the other in rank order: [size·n, …].
  virtual at::Tensor allgather(const at::Tensor& tensor) = 0;
  virtual void barrier() = 0;
  /// To be told when work that contains collectives and was captured is repeated on the current stream, since
  /// none of these functions is called then: a watch over stalls counts and names it as one.
  virtual void note_repeated(const char* what);
  /// Watches from now on that no rank waits for others longer than `limit` in one collective. Where one does,
  /// `act` is called on a thread of its own, once a rank, with an error that names the collective and who has
  /// not joined it: on rank 0, and where that one is silent on those that wait. A rank is heard of while it
  /// computes, too. Collective, once in the communicator's life.
  virtual void watch_for_stalls(std::chrono::milliseconds limit, const StallAction& act);
  /// Ends every rank of the job at once with this exit code; does not return.
  [[noreturn]] virtual void abort(int exit_code) = 0;

  bool is_root() const { return rank() == 0; }
  /// True on all ranks if it is true on any.
  bool agree_any(bool flag);
  /// True on all ranks only if it is true on every one.
  bool agree_all(bool flag);
  /// The largest value that any rank gave.
  int64_t agree_max(int64_t value);
  /// Root's text on every rank.
  std::string broadcast_text(const std::string& text, int root);
  /// Every rank's text, in rank order, on every rank.
  std::vector<std::string> allgather_text(const std::string& text);
};

/// Throws RunError unless the tensor covers its storage without gaps or overlaps.
void require_collective_tensor(const at::Tensor& tensor, const char* collective);

/// One rank, no communication.
std::unique_ptr<Communicator> make_solo_communicator();

/// True when mpirun or srun started this process as a rank of a job.
bool started_as_rank();

/// MPI over the whole job when started as a rank, else solo. Holds MPI for as long as it lives; at most one
/// MPI communicator exists in a process. Throws EnvironmentError. A rank that fails must end its peers, which
/// wait for it inside a collective: keep the communicator outside the try block that catches the failure, and
/// abort() with the exit code. One that is destroyed by an unwinding exception leaves without waiting.
std::unique_ptr<Communicator> make_communicator();

}  // namespace smoothlab::cluster
