#include "trainer/stop_agreement.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace smoothlab::trainer {
namespace {

constexpr int64_t wanted_milliseconds = 500;
constexpr int64_t most_steps = 1000;

}  // namespace

int64_t next_stop_interval(int64_t steps, int64_t milliseconds) {
  // Grows at most twofold, as the first steps are rarely like those that follow.
  const int64_t fitting = steps * wanted_milliseconds / std::max<int64_t>(milliseconds, 1);
  return std::clamp<int64_t>(fitting, 1, std::min(2 * steps, most_steps));
}

StopAgreement::StopAgreement(cluster::Communicator& communicator, const cluster::StopSignal& signal)
    : communicator_(communicator), signal_(signal), asked_(std::chrono::steady_clock::now()) {}

cluster::StopRequest StopAgreement::at_boundary() {
  if (communicator_.size() == 1) return signal_.requested();
  if (--boundaries_left_ > 0) return cluster::StopRequest::none;
  const auto now = std::chrono::steady_clock::now();
  const at::Tensor shared = at::empty({2}, at::kLong);
  int64_t* value = shared.data_ptr<int64_t>();
  value[0] = static_cast<int64_t>(signal_.requested());
  value[1] = std::chrono::duration_cast<std::chrono::milliseconds>(now - asked_).count();
  communicator_.allreduce(shared, cluster::Reduction::max);
  interval_ = next_stop_interval(interval_, value[1]);
  boundaries_left_ = interval_;
  asked_ = now;
  return static_cast<cluster::StopRequest>(value[0]);
}

}  // namespace smoothlab::trainer
