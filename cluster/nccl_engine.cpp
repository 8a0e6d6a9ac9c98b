#include "cluster/nccl_engine.h"

#include <ATen/ATen.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <utility>

#include "cluster/error.h"
#include "cluster/machine_probe.h"
#include "cluster/stream_capture.h"

namespace smoothlab::cluster {
namespace {

/// Makes a device current while it lasts. Unlike LibTorch's guard it does not throw where the process is
/// ending and has lost the driver already.
class QuietGuard {
 public:
  explicit QuietGuard(c10::Device device)
      : holds_(cudaGetDevice(&before_) == cudaSuccess && cudaSetDevice(device.index()) == cudaSuccess) {}
  ~QuietGuard() {
    if (holds_) (void)cudaSetDevice(before_);
  }
  QuietGuard(const QuietGuard&) = delete;
  QuietGuard& operator=(const QuietGuard&) = delete;
  bool holds() const { return holds_; }

 private:
  int before_ = 0;
  bool holds_;
};

using Clock = std::chrono::steady_clock;

class PendingOnStream : public PendingCollective {
 public:
  PendingOnStream(c10::Device device, std::shared_ptr<at::cuda::CUDAEvent> end)
      : device_(device), end_(std::move(end)) {}
  ~PendingOnStream() override {
    if (end_ && std::uncaught_exceptions() == 0) try {
        wait();
      } catch (const std::exception&) {
        // Whoever wanted to know would have called wait().
      }
  }
  void wait() override {
    if (const auto end = std::exchange(end_, nullptr))
      end->block(c10::cuda::getCurrentCUDAStream(device_.index()));
  }

 private:
  c10::Device device_;
  std::shared_ptr<at::cuda::CUDAEvent> end_;
};

/// Structures that are handed over may have grown in a later NCCL, not in an earlier one.
void require_version(int rank) {
  int version = 0;
  if (ncclGetVersion(&version) == ncclSuccess && version / 10000 == NCCL_MAJOR &&
      version >= NCCL_VERSION_CODE)
    return;
  throw EnvironmentError("this program was built with NCCL " + nccl_version_text(NCCL_VERSION_CODE) +
                             " and finds " + nccl_version_text(version),
                         "rank " + std::to_string(rank),
                         "put that version or a later one first on LD_LIBRARY_PATH, or build again");
}

ncclUniqueId agreed_id(Communicator& host) {
  ncclUniqueId id{};
  ncclResult_t made = ncclSuccess;
  if (host.is_root()) made = ncclGetUniqueId(&id);
  if (!host.agree_all(made == ncclSuccess))
    throw EnvironmentError(host.is_root() ? std::string("NCCL cannot start: ") + ncclGetErrorString(made)
                                          : "NCCL cannot start on rank 0",
                           "rank 0", "run with NCCL_DEBUG=INFO to see why");
  const at::Tensor bytes = at::empty({static_cast<int64_t>(sizeof id)}, at::kByte);
  std::memcpy(bytes.data_ptr(), &id, sizeof id);
  host.broadcast(bytes, 0);
  std::memcpy(&id, bytes.data_ptr(), sizeof id);
  return id;
}

}  // namespace

NcclEngine::NcclEngine(int rank, c10::Device device, Count count)
    : device_(device),
      rank_(rank),
      count_(std::move(count)),
      stream_(c10::cuda::getStreamFromPool(true, device.index())) {}

void NcclEngine::begin(Communicator& host) {
  require_version(rank_);
  const c10::cuda::CUDAGuard guard(device_);
  const ncclUniqueId id = agreed_id(host);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  // So that a peer that is gone leaves nobody inside a call that cannot be ended.
  config.blocking = 0;
  note("start of NCCL", count_(), 0);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    require(ncclCommInitRankConfig(&comm_, host.size(), id, rank_, &config), "start");
  }
  const std::lock_guard<std::mutex> lock(notes_);
  under_way_.clear();
}

NcclEngine::~NcclEngine() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const QuietGuard guard(device_);
  if (!comm_ || !guard.holds()) return;
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    ncclCommAbort(comm_);
    return;
  }
  try {
    (void)cudaStreamSynchronize(stream_.stream());
    require(ncclCommFinalize(comm_), "end");
    ncclCommDestroy(comm_);
  } catch (const Error&) {
    ncclCommAbort(comm_);
  }
}

void NcclEngine::require(ncclResult_t result, const char* action) {
  while (result == ncclInProgress) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
    if (ncclCommGetAsyncError(comm_, &result) != ncclSuccess) result = ncclInternalError;
  }
  if (result == ncclSuccess) return;
  const char* detail = ncclGetLastError(comm_);
  std::string words = ncclGetErrorString(result);
  if (detail && *detail) words += ": " + std::string(detail);
  throw EnvironmentError("NCCL cannot " + std::string(action) + ": " + words, "rank " + std::to_string(rank_),
                         "check that the other ranks and the network live; NCCL_DEBUG=INFO says more");
}

std::unique_ptr<PendingCollective> NcclEngine::start(const char* name, const at::Tensor& tensor,
                                                     const Issue& issue) {
  if (tensor.device() != device_)
    throw RunError("a tensor on " + tensor.device().str() + ", while this rank computes on " + device_.str(),
                   name, "move it there first");
  const c10::cuda::CUDAGuard guard(device_);
  at::cuda::CUDAEvent ready;
  ready.record(c10::cuda::getCurrentCUDAStream(device_.index()));
  ready.block(stream_);
  // A captured collective runs when its graph does, which these times and events know nothing of.
  const bool captured = is_capturing(stream_.stream());
  const auto end = std::make_shared<at::cuda::CUDAEvent>();
  const int64_t number = count_();
  if (!captured) note(name, number, static_cast<int64_t>(tensor.nbytes()));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!comm_)
      throw EnvironmentError("NCCL has been ended", "rank " + std::to_string(rank_),
                             "see the first error; go on from the last checkpoint");
    require(issue(comm_, stream_.stream()), name);
    end->record(stream_);
    // The allocator may give the memory to another tensor only once this stream is done with it.
    c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream_);
  }
  if (!captured) note_end(end);
  return std::make_unique<PendingOnStream>(device_, end);
}

void NcclEngine::drain() {
  if (std::uncaught_exceptions() > exceptions_at_start_) return;
  const QuietGuard guard(device_);
  if (guard.holds()) (void)cudaDeviceSynchronize();
}

void NcclEngine::note_repeated(const char* what) {
  const c10::cuda::CUDAGuard guard(device_);
  const auto end = std::make_shared<at::cuda::CUDAEvent>();
  note(what, count_(), 0);
  end->record(c10::cuda::getCurrentCUDAStream(device_.index()));
  note_end(end);
}

void NcclEngine::note(const char* name, int64_t number, int64_t bytes) {
  const std::lock_guard<std::mutex> lock(notes_);
  forget_ended();
  under_way_.push_back({name, number, bytes, Clock::now(), nullptr});
}

void NcclEngine::note_end(std::shared_ptr<at::cuda::CUDAEvent> end) {
  const std::lock_guard<std::mutex> lock(notes_);
  under_way_.back().end = std::move(end);
}

void NcclEngine::forget_ended() {
  const OutsideCapture relaxed;
  const c10::cuda::CUDAGuard guard(device_);
  while (!under_way_.empty() && under_way_.front().end && under_way_.front().end->query())
    under_way_.pop_front();
}

void NcclEngine::observe(Heartbeat& heartbeat) {
  const std::lock_guard<std::mutex> lock(notes_);
  forget_ended();
  if (under_way_.empty()) return;
  const UnderWay& oldest = under_way_.front();
  const int64_t age =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - oldest.started).count();
  if (age <= heartbeat.waiting_ms) return;
  heartbeat.waiting_ms = age;
  heartbeat.waiting_for = oldest.number;
  heartbeat.bytes = oldest.bytes;
  std::strncpy(heartbeat.operation, oldest.name, sizeof heartbeat.operation - 1);
}

void NcclEngine::check() {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !comm_) return;
  ncclResult_t result = ncclSuccess;
  if (ncclCommGetAsyncError(comm_, &result) != ncclSuccess || result == ncclInProgress) return;
  require(result, "go on");
}

void NcclEngine::abort() {
  // Not for ever: another thread may hang inside NCCL, and so may the end of it on a device that is sick.
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  std::thread([this, ended] {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (comm_) ncclCommAbort(std::exchange(comm_, nullptr));
    *ended = true;
  }).detach();
  for (int tries = 0; tries < 400 && !*ended; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace smoothlab::cluster
