#include "cluster/error.h"
#include "trainer/gpu_update.h"

namespace smoothlab::trainer {
namespace {

[[noreturn]] void refuse() {
  throw RunError("this program is built without CUDA", "optimiser", "keep the parameters on the CPU");
}

}  // namespace

GpuUpdate::GpuUpdate(c10::Device /*device*/, const std::vector<Segment>& /*segments*/) {
  refuse();
}
void GpuUpdate::set(const StepFactors& /*factors*/) {
  refuse();
}
void GpuUpdate::apply(const FlatUpdate& /*all*/, const MomentumRule& /*rule*/) const {
  refuse();
}
void GpuUpdate::apply(const FlatUpdate& /*all*/, const AdamRule& /*rule*/) const {
  refuse();
}
void GpuUpdate::apply(const FlatUpdate& /*all*/, const RmspropRule& /*rule*/) const {
  refuse();
}

}  // namespace smoothlab::trainer
