#include "trainer/activation_memory.h"

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace smoothlab::trainer {
namespace {

// LibTorch's releases differ in the type of the totals.
template <typename T>
T total_type(void (c10::MemoryReportingInfoBase::*)(void*, int64_t, T, T, c10::Device));
using Total = decltype(total_type(&c10::MemoryReportingInfoBase::reportMemoryUsage));

/// Adds up what this thread allocates and frees while it is the thread's profiler.
struct LiveBytes : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, int64_t size, Total, Total, c10::Device) override { live += size; }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t live = 0;
};

int64_t measured(models::Network& network, const at::Tensor& inputs) {
  return activation_bytes(network, {inputs}, at::arange(inputs.size(0), at::kLong));
}

}  // namespace

int64_t activation_bytes(models::Network& network, const std::vector<at::Tensor>& inputs,
                         const at::Tensor& sample_ids) {
  models::ForwardContext context;
  context.training = true;
  context.sample_ids = sample_ids;
  const auto count = std::make_shared<LiveBytes>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, count);
  const models::Rows rows = network.forward(inputs, context);  // holds the graph
  return count->live;
}

int64_t activation_bytes(models::Network& network, const std::vector<int64_t>& input_shape, bool bf16,
                         int64_t rows) {
  std::vector<int64_t> shape = {2};
  shape.insert(shape.end(), input_shape.begin(), input_shape.end());
  const at::Tensor inputs = at::zeros(shape, bf16 ? at::kBFloat16 : at::kFloat);
  measured(network, inputs);  // what is made once and kept is not an activation
  const int64_t one = measured(network, inputs.narrow(0, 0, 1)), two = measured(network, inputs);
  return one + (rows - 1) * (two - one);
}

}  // namespace smoothlab::trainer
