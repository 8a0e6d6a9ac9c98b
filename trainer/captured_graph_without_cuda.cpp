#include "cluster/error.h"
#include "trainer/captured_step.h"

namespace smoothlab::trainer {

std::unique_ptr<CapturedStep> make_captured_graph(c10::Device /*device*/) {
  throw RunError("this program is built without CUDA", "captured step", "compute on the CPU");
}

}  // namespace smoothlab::trainer
