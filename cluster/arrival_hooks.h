#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace smoothlab::cluster {

/// Calls back, on the thread that runs backward, each time a leaf's gradient has been accumulated: once a
/// leaf and backward pass. Takes its hooks off again when it dies.
class ArrivalHooks {
 public:
  ArrivalHooks(const std::vector<at::Tensor>& leaves, std::function<void(int64_t leaf)> arrived);
  ~ArrivalHooks();
  ArrivalHooks(const ArrivalHooks&) = delete;
  ArrivalHooks& operator=(const ArrivalHooks&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::cluster
