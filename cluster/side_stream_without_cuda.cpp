// Takes the place of side_stream_cuda.cpp where LibTorch has no CUDA.
#include "cluster/error.h"
#include "cluster/side_stream.h"

namespace smoothlab::cluster {

struct SideStream::Stream {};
struct SideStream::Ready::Mark {};

void SideStream::Ready::wait() const {}

SideStream::SideStream(c10::Device device) : device_(device) {
  if (!device.is_cpu())
    throw EnvironmentError("this program was built without CUDA", "device " + device.str(),
                           "use device cpu, or build with a LibTorch for CUDA");
}

SideStream::Ready SideStream::run(const Work& work) const {
  (void)work();
  return {};
}

at::Tensor upload(const at::Tensor& host, c10::Device device) {
  if (!device.is_cpu())
    throw EnvironmentError("this program was built without CUDA", "device " + device.str(),
                           "use device cpu, or build with a LibTorch for CUDA");
  return host;
}

}  // namespace smoothlab::cluster
