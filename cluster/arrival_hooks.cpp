#include "cluster/arrival_hooks.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

class ArrivalHook : public torch::autograd::FunctionPostHook {
 public:
  ArrivalHook(const std::function<void(int64_t)>& arrived, int64_t leaf) : arrived_(arrived), leaf_(leaf) {}
  variable_list operator()(const variable_list& outputs, const variable_list&) override {
    arrived_(leaf_);
    return outputs;
  }

 private:
  const std::function<void(int64_t)>& arrived_;
  const int64_t leaf_;
};

}  // namespace

struct ArrivalHooks::State {
  std::function<void(int64_t)> arrived;
  // A leaf knows its accumulation node only weakly: it has to be kept, or the hook goes with it.
  std::vector<std::pair<std::shared_ptr<Node>, uintptr_t>> hooks;
};

ArrivalHooks::ArrivalHooks(const std::vector<at::Tensor>& leaves, std::function<void(int64_t)> arrived)
    : state_(std::make_unique<State>()) {
  state_->arrived = std::move(arrived);
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (!leaves[i].is_leaf() || !leaves[i].requires_grad())
      throw RunError("tensor " + std::to_string(i) + " is no leaf that requires a gradient", "gradient hooks",
                     "pass the network's trainable parameters");
    auto node = torch::autograd::impl::grad_accumulator(leaves[i]);
    const uintptr_t key =
        node->add_post_hook(std::make_unique<ArrivalHook>(state_->arrived, static_cast<int64_t>(i)));
    state_->hooks.emplace_back(std::move(node), key);
  }
}

ArrivalHooks::~ArrivalHooks() {
  for (const auto& [node, key] : state_->hooks) node->del_post_hook(key);
}

}  // namespace smoothlab::cluster
