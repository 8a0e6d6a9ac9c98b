#include "trainer/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "cluster/error.h"
#include "trainer/gradient_clip.h"
#include "trainer/optimizer_kernels.h"

namespace smoothlab::trainer {
namespace {

/// Glob with * for any characters, over the whole name.
bool glob_matches(const char* pattern, const char* name) {
  if (*pattern == '\0') return *name == '\0';
  if (*pattern == '*')
    return glob_matches(pattern + 1, name) || (*name != '\0' && glob_matches(pattern, name + 1));
  return *pattern == *name && glob_matches(pattern + 1, name + 1);
}

bool belongs(const OptimizerOptions::Group& group, const std::string& name) {
  if (group.match.find('*') == std::string::npos)
    return name.compare(0, group.match.size(), group.match) == 0;
  return glob_matches(group.match.c_str(), name.c_str());
}

class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, FlatParameters& parameters)
      : Optimizer(options, parameters,
                  options.momentum > 0 || options.name == "smoothed-sgd"
                      ? std::vector<std::string>{"momentum"}
                      : std::vector<std::string>{}) {}

 protected:
  void update_slice(const UpdateSlice& slice, const Segment& segment, int64_t) override {
    MomentumRule rule;
    if (!state_.empty()) rule.buffer = part(state_[0].second, segment);
    const bool smoothed = options_.name == "smoothed-sgd";
    rule.momentum = smoothed && options_.momentum == 0 ? 0.9 : options_.momentum;
    rule.share = smoothed ? 1 - rule.momentum : 1.0;
    rule.nesterov = options_.nesterov;
    update(slice, rule);
  }
};

class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, FlatParameters& parameters)
      : Optimizer(options, parameters, {"first_moment", "second_moment"}) {}

 protected:
  void update_slice(const UpdateSlice& slice, const Segment& segment, int64_t step) override {
    AdamRule rule{part(state_[0].second, segment), part(state_[1].second, segment), options_.beta1,
                  options_.beta2, options_.epsilon};
    rule.correction1 = 1 - std::pow(options_.beta1, static_cast<double>(step));
    rule.correction2 = 1 - std::pow(options_.beta2, static_cast<double>(step));
    update(slice, rule);
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
  void update_slice(const UpdateSlice& slice, const Segment& segment, int64_t) override {
    RmspropRule rule;
    rule.mean_square = part(state_[0].second, segment);
    if (state_.size() > 1) rule.buffer = part(state_[1].second, segment);
    rule.decay = options_.decay;
    rule.epsilon = options_.epsilon;
    rule.momentum = options_.momentum;
    rule.epsilon_inside = options_.epsilon_inside;
    update(slice, rule);
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
}

at::Tensor Optimizer::part(const at::Tensor& flat, const Segment& segment) {
  return flat.narrow(0, segment.begin, segment.end - segment.begin);
}

void Optimizer::step(const at::Tensor& gradients, double schedule_factor) {
  const c10::AutoGradMode no_gradients(false);
  at::Tensor grad_scale;
  if (options_.clip_norm > 0) {
    gradient_norm_ = global_norm(gradients);
    grad_scale = clip_factor(gradient_norm_, options_.clip_norm);
  }
  ++steps_taken_;
  for (const auto& segment : segments_) {
    UpdateSlice slice;
    slice.weights = part(parameters_.master(), segment);
    slice.gradients = part(gradients, segment);
    if (parameters_.working().defined()) slice.working = part(parameters_.working(), segment);
    slice.grad_scale = grad_scale;
    slice.lr = options_.lr * schedule_factor * segment.lr_scale;
    if (options_.decoupled)
      slice.shrink = 1 - slice.lr * segment.weight_decay;
    else
      slice.l2 = segment.weight_decay;
    update_slice(slice, segment, steps_taken_);
  }
}

void Optimizer::adopt_layout() {
  for (auto& named : state_) named.second = move_flat(named.second, layout_, parameters_.layout());
  layout_ = parameters_.layout();
  segments_ = make_segments(options_, parameters_);
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, FlatParameters& parameters) {
  if (options.name == "adam") return std::make_unique<Adam>(options, parameters);
  if (options.name == "rmsprop") return std::make_unique<Rmsprop>(options, parameters);
  return std::make_unique<Sgd>(options, parameters);
}

std::vector<Segment> make_segments(const OptimizerOptions& options, const FlatParameters& parameters) {
  std::vector<bool> used(options.groups.size(), false);
  std::vector<Segment> segments;
  for (const int64_t index : parameters.layout().order()) {
    const auto& parameter = parameters.parameter(index);
    const int64_t begin = parameters.layout().offset(index);
    const bool decays = parameter.role == models::Role::weight || options.decay_norm_and_bias;
    Segment segment{begin, begin + parameters.layout().size(index), 1, decays ? options.weight_decay : 0};
    bool grouped = false;
    for (size_t g = 0; g < options.groups.size(); ++g) {
      if (!belongs(options.groups[g], parameter.name)) continue;
      used[g] = true;
      if (grouped) continue;
      grouped = true;
      segment.lr_scale = options.groups[g].lr_scale;
      if (options.groups[g].weight_decay >= 0) segment.weight_decay = options.groups[g].weight_decay;
    }
    if (!segments.empty() && segments.back().lr_scale == segment.lr_scale &&
        segments.back().weight_decay == segment.weight_decay)
      segments.back().end = segment.end;
    else
      segments.push_back(segment);
  }
  for (size_t g = 0; g < used.size(); ++g) {
    if (used[g]) continue;
    std::vector<std::string> names;
    for (int64_t i = 0; i < parameters.count(); ++i) names.push_back(parameters.parameter(i).name);
    throw UsageError(fmt::format("group '{}' matches no parameter", options.groups[g].match),
                     fmt::format("optimizer.groups[{}].match", g),
                     fmt::format("parameters are: {}", fmt::join(names, ", ")));
  }
  return segments;
}

}  // namespace smoothlab::trainer
