#include "cluster/compute_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace smoothlab::cluster {

ComputeStream::ComputeStream(c10::Device device) {
  if (!device.is_cpu()) stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

ComputeStream::Scope::Scope(const ComputeStream& stream) {
  if (stream.stream_) guard_.emplace(*stream.stream_);
}

}  // namespace smoothlab::cluster
