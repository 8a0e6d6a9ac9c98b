#include <ATen/ATen.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstring>
#include <utility>

#include "cluster/error.h"
#include "cluster/side_stream.h"
#include "cluster/stream_capture.h"

namespace smoothlab::cluster {
namespace {

/// Streams come from a pool of 32 for each priority, in turn. Of one that a run computes on and captures,
/// none may be taken here: the work would become part of the graph.
constexpr int side_priority = -1;

void require_there(c10::Device device) {
  if (device.is_cpu()) return;
  if (!device.is_cuda() || device.index() >= c10::cuda::device_count())
    throw EnvironmentError("LibTorch does not see such a device", "device " + device.str(),
                           "use device cpu, or see what doctor says of CUDA");
}

}  // namespace

struct SideStream::Stream {
  c10::cuda::CUDAStream stream;
};

struct SideStream::Ready::Mark {
  c10::Device device;
  std::vector<at::Tensor> tensors;
  at::cuda::CUDAEvent end;
};

void SideStream::Ready::wait() const {
  if (!mark_) return;
  const c10::cuda::CUDAStream user = c10::cuda::getCurrentCUDAStream(mark_->device.index());
  if (is_capturing(user.stream()))
    throw RunError("a captured graph would wait for work outside it", "device " + mark_->device.str(),
                   "take the batch before the capture begins and copy it into the tensors of the graph");
  mark_->end.block(user);
  for (const at::Tensor& tensor : mark_->tensors)
    c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), user);
}

SideStream::SideStream(c10::Device device) : device_(device) {
  require_there(device);
  if (device.is_cpu()) return;
  if (!device.has_index()) device_ = c10::Device(device.type(), c10::cuda::current_device());
  stream_ =
      std::make_shared<const Stream>(Stream{c10::cuda::getStreamFromPool(side_priority, device_.index())});
}

SideStream::Ready SideStream::run(const Work& work) const {
  if (!stream_) {
    (void)work();
    return {};
  }
  try {
    const OutsideCapture relaxed;
    const c10::cuda::CUDAStreamGuard guard(stream_->stream);
    Ready ready;
    ready.mark_ = std::make_shared<Ready::Mark>(Ready::Mark{device_, work(), {}});
    ready.mark_->end.record(stream_->stream);
    return ready;
  } catch (const c10::OutOfMemoryError& error) {
    throw EnvironmentError(std::string("the device has no memory left: ") + error.what_without_backtrace(),
                           "device " + device_.str(),
                           "make batches smaller, or end what else uses the device");
  } catch (const c10::Error& error) {
    throw EnvironmentError(std::string("the device failed: ") + error.what_without_backtrace(),
                           "device " + device_.str(), "see the kernel's log and nvidia-smi for its state");
  }
}

at::Tensor upload(const at::Tensor& host, c10::Device device) {
  require_there(device);
  if (device.is_cpu()) return host;
  at::Tensor locked = host;
  if (!host.is_pinned()) {
    locked = at::empty_strided(host.sizes(), host.strides(), host.options().pinned_memory(true));
    // copy_() would start a team of threads in each thread that prefetches.
    if (host.is_non_overlapping_and_dense())
      std::memcpy(locked.data_ptr(), host.data_ptr(), host.nbytes());
    else
      locked.copy_(host);
  }
  // The allocator of page-locked memory learns of the copy from to() and waits for it before it gives the
  // memory to another tensor.
  return locked.to(device, /*non_blocking=*/true);
}

}  // namespace smoothlab::cluster
