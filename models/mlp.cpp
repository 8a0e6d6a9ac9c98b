#include "models/mlp.h"

#include <ATen/ATen.h>

#include <cmath>
#include <functional>

#include "cluster/error.h"

namespace smoothlab::models {
namespace {

/// fan_in and whether a ReLU follows, to initialiser.
std::function<Initialiser(int64_t, bool)> initialisation(const std::string& name) {
  if (name == "variance-0.03") return [](int64_t, bool) { return Initialiser::normal(std::sqrt(0.03)); };
  if (name == "deviation-0.03") return [](int64_t, bool) { return Initialiser::normal(0.03); };
  if (name.empty() || name == "he") {
    return [](int64_t fan_in, bool relu) {
      return relu ? Initialiser::he_normal(fan_in) : Initialiser::lecun_normal(fan_in);
    };
  }
  throw UsageError("unknown initialisation \"" + name + "\"", "model.initialisation",
                   "use he, variance-0.03 or deviation-0.03");
}

}  // namespace

void Mlp::check(const NetworkOptions& options) {
  check_dropout(options.dropout, "model.dropout");
  check_dropout(options.input_dropout, "model.input_dropout");
  initialisation(options.initialisation);
  for (const int64_t units : options.hidden)
    if (units < 1)
      throw UsageError("a hidden layer needs at least one unit", "model.hidden", "give at least 1");
}

Mlp::Mlp(const NetworkOptions& options) : classes_(options.classes) {
  check(options);
  const auto initialiser = initialisation(options.initialisation);
  const std::vector<int64_t> sizes =
      options.hidden.empty() ? std::vector<int64_t>{1200, 1200} : options.hidden;

  ParameterRegistry registry(*this, options.seed, options.channels_last);
  int64_t width = options.input.channels * options.input.height * options.input.width;
  dropout_.emplace_back(options.input_dropout, 0);
  uint32_t draws = Dropout::blocks(width);
  for (size_t i = 0; i < sizes.size(); ++i) {
    hidden_.emplace_back(registry, "hidden" + std::to_string(i + 1), width, sizes[i],
                         initialiser(width, true));
    dropout_.emplace_back(options.dropout, draws);
    draws += Dropout::blocks(sizes[i]);
    width = sizes[i];
  }
  classifier_ = std::make_unique<ClassifierLayer>(registry, width, classes_, initialiser(width, false));
  penultimate_size_ = width;
}

Rows Mlp::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  // reshape follows the logical order, so that channels-last inputs mean the same.
  at::Tensor features = dropout_[0](inputs.at(0).reshape({inputs[0].size(0), -1}), context);
  for (size_t i = 0; i < hidden_.size(); ++i) {
    features = dropout_[i + 1](at::relu(hidden_[i](features)), context);
  }
  return (*classifier_)(features);
}

}  // namespace smoothlab::models
