#include "trainer/stop_agreement.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace smoothlab::trainer {

int64_t next_stop_interval(int64_t steps, int64_t microseconds) {
  constexpr int64_t wanted = 50'000;
  // Grows at most twofold, as the first steps are rarely like those that follow.
  const int64_t fitting = steps * wanted / std::max<int64_t>(microseconds, 1);
  return std::clamp<int64_t>(fitting, 1, std::min(2 * steps, StopAgreement::most_steps));
}

StopAgreement::StopAgreement(cluster::Communicator& communicator, const cluster::StopSignal& signal)
    : communicator_(communicator), signal_(signal), asked_(std::chrono::steady_clock::now()) {}

StopAgreement::Answer StopAgreement::at_boundary(bool trouble) {
  if (communicator_.size() > 1 && boundaries_ + 1 < interval_) {
    ++boundaries_;
    return {};
  }
  return ask(trouble);
}

StopAgreement::Answer StopAgreement::ask(bool trouble) {
  if (communicator_.size() == 1) return {signal_.requested(), trouble};
  const auto now = std::chrono::steady_clock::now();
  const at::Tensor shared = at::empty({3}, at::kLong);
  int64_t* value = shared.data_ptr<int64_t>();
  value[0] = static_cast<int64_t>(signal_.requested());
  value[1] = trouble ? 1 : 0;
  value[2] = std::chrono::duration_cast<std::chrono::microseconds>(now - asked_).count();
  communicator_.allreduce(shared, cluster::Reduction::max);
  interval_ = next_stop_interval(boundaries_ + 1, value[2]);
  boundaries_ = 0;
  asked_ = now;
  return {static_cast<cluster::StopRequest>(value[0]), value[1] != 0};
}

}  // namespace smoothlab::trainer
