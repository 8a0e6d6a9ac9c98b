#pragma once

#include <ATen/ATen.h>

#include <utility>

#include "models/network.h"

namespace smoothlab::trainer {

/// Parameters and nothing to compute with them.
class ToyNetwork : public models::Network {
 public:
  void add(const std::string& name, models::Role role, at::Tensor value, bool keep_float32 = false) {
    parameters().push_back({name, role, keep_float32, std::move(value)});
  }
  models::Rows forward(const std::vector<at::Tensor>&, const models::ForwardContext&) override { return {}; }
  models::Classifier classifier() const override { return {}; }
  int64_t classes() const override { return 2; }
  int64_t penultimate_size() const override { return 1; }
};

}  // namespace smoothlab::trainer
