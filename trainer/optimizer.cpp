#include "trainer/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "trainer/gradient_clip.h"

namespace smoothlab::trainer {
namespace {

class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, FlatParameters& parameters)
      : Optimizer(options, parameters,
                  options.momentum > 0 || options.name == "smoothed-sgd"
                      ? std::vector<std::string>{"momentum"}
                      : std::vector<std::string>{}) {}

 protected:
  void update_all(const FlatUpdate& all) override {
    MomentumRule rule;
    if (!state_.empty()) rule.buffer = state_[0].second;
    const bool smoothed = options_.name == "smoothed-sgd";
    rule.momentum = smoothed && options_.momentum == 0 ? 0.9 : options_.momentum;
    rule.share = smoothed ? 1 - rule.momentum : 1.0;
    rule.nesterov = options_.nesterov;
    update(all, rule);
  }
};

class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, FlatParameters& parameters)
      : Optimizer(options, parameters, {"first_moment", "second_moment"}) {}

 protected:
  void update_all(const FlatUpdate& all) override {
    update(all, AdamRule{state_[0].second, state_[1].second, options_.beta1, options_.beta2, options_.epsilon,
                         all.factors.correction1, all.factors.correction2});
  }
};

class Rmsprop : public Optimizer {
 public:
  Rmsprop(const OptimizerOptions& options, FlatParameters& parameters)
      : Optimizer(options, parameters,
                  options.momentum > 0 ? std::vector<std::string>{"mean_square", "momentum"}
                                       : std::vector<std::string>{"mean_square"}) {
    if (options.epsilon_inside) state_[0].second.fill_(1);
  }

 protected:
  void update_all(const FlatUpdate& all) override {
    RmspropRule rule;
    rule.mean_square = state_[0].second;
    if (state_.size() > 1) rule.buffer = state_[1].second;
    rule.decay = options_.decay;
    rule.epsilon = options_.epsilon;
    rule.momentum = options_.momentum;
    rule.epsilon_inside = options_.epsilon_inside;
    update(all, rule);
  }
};

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, FlatParameters& parameters,
                     const std::vector<std::string>& state_names)
    : options_(options),
      parameters_(parameters),
      layout_(parameters.layout()),
      segments_(make_segments(options, parameters)) {
  for (const auto& name : state_names) state_.emplace_back(name, at::zeros_like(parameters.master()));
  if (parameters.master().is_cuda())
    gpu_ = std::make_unique<GpuUpdate>(parameters.master().device(), segments_);
}

Optimizer::~Optimizer() = default;

void Optimizer::step(const at::Tensor& gradients, double schedule_factor) {
  begin_step(schedule_factor);
  apply(gradients);
}

void Optimizer::begin_step(double schedule_factor) {
  ++steps_taken_;
  factors_.lr = options_.lr * schedule_factor;
  if (options_.name == "adam") {
    const auto step = static_cast<double>(steps_taken_);
    factors_.correction1 = 1 - std::pow(options_.beta1, step);
    factors_.correction2 = 1 - std::pow(options_.beta2, step);
  }
  if (gpu_) gpu_->set(factors_);
}

void Optimizer::apply(const at::Tensor& gradients) {
  const c10::AutoGradMode no_gradients(false);
  at::Tensor grad_scale;
  if (options_.clip_norm > 0) {
    gradient_norm_ = global_norm(gradients);
    grad_scale = clip_factor(gradient_norm_, options_.clip_norm);
  }
  update_all({parameters_.master(), gradients, parameters_.working(), grad_scale, factors_,
              options_.decoupled, segments_, gpu_.get()});
}

void Optimizer::adopt_layout() {
  for (auto& named : state_) named.second = move_flat(named.second, layout_, parameters_.layout());
  layout_ = parameters_.layout();
  segments_ = make_segments(options_, parameters_);
  if (gpu_) gpu_ = std::make_unique<GpuUpdate>(parameters_.master().device(), segments_);
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, FlatParameters& parameters) {
  if (options.name == "adam") return std::make_unique<Adam>(options, parameters);
  if (options.name == "rmsprop") return std::make_unique<Rmsprop>(options, parameters);
  return std::make_unique<Sgd>(options, parameters);
}

}  // namespace smoothlab::trainer
