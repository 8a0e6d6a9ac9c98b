#include "trainer/captured_step.h"

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

class RepeatedWork : public CapturedStep {
 protected:
  void record_work(const std::function<void()>& work) override { work_ = work; }
  void repeat_work() override { work_(); }

 private:
  std::function<void()> work_;
};

}  // namespace

void CapturedStep::record(const std::function<void()>& work) {
  record_work(work);
  recorded_ = true;
}

void CapturedStep::repeat() {
  if (!recorded_) throw RunError("nothing was recorded", "captured step", "record it first");
  repeat_work();
}

std::unique_ptr<CapturedStep> make_captured_step(c10::Device device) {
  if (device.is_cuda()) return make_captured_graph(device);
  return std::make_unique<RepeatedWork>();
}

}  // namespace smoothlab::trainer
