#include "cluster/compute_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace smoothlab::cluster {

ComputeStream::ComputeStream(c10::Device device) {
  if (!device.is_cpu()) stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

void ComputeStream::keep_within(size_t ahead) {
  if (!stream_) return;
  ends_.emplace_back(stream_->device_type());
  ends_.back().record(*stream_);
  for (; ends_.size() > ahead; ends_.pop_front())
    while (!ends_.front().query()) std::this_thread::sleep_for(std::chrono::microseconds(10));
}

void expect_many_streams() {
  setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", /*overwrite=*/0);
}

ComputeStream::Scope::Scope(const ComputeStream& stream) {
  if (stream.stream_) guard_.emplace(*stream.stream_);
}

}  // namespace smoothlab::cluster
