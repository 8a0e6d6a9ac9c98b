#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cluster/error.h"
#include "trainer/captured_step.h"

namespace smoothlab::trainer {
namespace {

class CapturedGraph : public CapturedStep {
 public:
  explicit CapturedGraph(c10::Device device) : device_(device) {}

 protected:
  void record_work(const std::function<void()>& work) override {
    const c10::cuda::CUDAGuard guard(device_);
    if (c10::cuda::getCurrentCUDAStream() == c10::cuda::getDefaultCUDAStream())
      throw RunError("the default stream cannot be recorded", "captured step", "run on another stream");
    // What the steps before used stays with the allocator, and a graph has memory of its own: both would not
    // fit where a step takes half of the device, and a capture cannot take any back.
    c10::cuda::CUDACachingAllocator::emptyCache();
    const at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
    // Threads that prefetch, watch peers or write files go on meanwhile, and may allocate and ask for events.
    graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();
      } catch (const std::exception&) {
        // What `work` threw says more. The allocator would go on as if the capture did, for every run.
        c10::cuda::CUDACachingAllocator::endAllocateToPool(device_.index(), pool);
        c10::cuda::CUDACachingAllocator::releasePool(device_.index(), pool);
      }
      throw;
    }
    graph_.capture_end();
  }

  void repeat_work() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }

 private:
  const c10::Device device_;
  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<CapturedStep> make_captured_graph(c10::Device device) {
  return std::make_unique<CapturedGraph>(device);
}

}  // namespace smoothlab::trainer
