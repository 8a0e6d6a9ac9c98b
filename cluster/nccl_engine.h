#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "cluster/communicator.h"
#include "cluster/stall_judge.h"

namespace smoothlab::cluster {

/// A communicator of NCCL's and the stream that its collectives run on: one of high priority, so that their
/// kernels go before those of backward. Streams wait for each other by events; the host waits for nothing.
class NcclEngine {
 public:
  /// Puts one collective on the stream.
  using Issue = std::function<ncclResult_t(ncclComm_t, cudaStream_t)>;
  /// The number of a collective among all that this rank has begun, whoever carries them.
  using Count = std::function<int64_t()>;

  NcclEngine(int rank, c10::Device device, Count count);
  /// Ends it with the peers; during the unwinding of an exception without them.
  ~NcclEngine();
  NcclEngine(const NcclEngine&) = delete;
  NcclEngine& operator=(const NcclEngine&) = delete;

  /// Collective over `host`, through which the ranks agree on the communicator's identity. Throws
  /// EnvironmentError where NCCL cannot start.
  void begin(Communicator& host);
  /// Starts a collective on a tensor of this rank's device once the current stream has come here; wait() lets
  /// the then current stream wait for its end. Throws EnvironmentError.
  std::unique_ptr<PendingCollective> start(const char* name, const at::Tensor& tensor, const Issue& issue);

  /// Counts captured collectives that the current stream repeats as one, `what`, which must outlive this.
  void note_repeated(const char* what);

  /// Waits for all collectives; not during the unwinding of an exception.
  void drain();

  /// Adds to a heartbeat for which collective the device has been waiting the longest.
  void observe(Heartbeat& heartbeat);
  /// Throws EnvironmentError with what NCCL reports of a peer or the network. Of any thread; does nothing
  /// while another is inside NCCL.
  void check();
  /// Ends all its kernels, so that the process can end, or gives up after two seconds.
  void abort();

 private:
  struct UnderWay {
    const char* name;
    int64_t number, bytes;
    std::chrono::steady_clock::time_point started;
    std::shared_ptr<at::cuda::CUDAEvent> end;  ///< null while it is being issued
  };

  void require(ncclResult_t result, const char* action);
  void note(const char* name, int64_t number, int64_t bytes);
  void note_end(std::shared_ptr<at::cuda::CUDAEvent> end);
  void forget_ended();

  const c10::Device device_;
  const int rank_;
  const Count count_;
  c10::cuda::CUDAStream stream_;
  std::mutex mutex_;  ///< of the communicator; held during calls that may wait for peers
  ncclComm_t comm_ = nullptr;
  std::mutex notes_;  ///< of what is under way; never held while waiting for anything
  std::deque<UnderWay> under_way_;
  const int exceptions_at_start_ = std::uncaught_exceptions();
};

}  // namespace smoothlab::cluster
