#pragma once

#include <string>
#include <vector>

#include "models/initialisation.h"
#include "models/network.h"

namespace smoothlab::models {

/// Where layers put their parameters and buffers while a network is built. Layers keep pointers to them:
/// addresses are stable, values may be replaced.
class ParameterRegistry {
 public:
  ParameterRegistry(Network& network, uint64_t seed, bool channels_last)
      : network_(network), seed_(seed), channels_last_(channels_last) {}

  Parameter* add_parameter(const std::string& name, const std::vector<int64_t>& shape, Role role,
                           const Initialiser& initialiser, bool keep_float32 = false);
  /// One-dimensional, float32.
  Buffer* add_buffer(const std::string& name, int64_t size, double value);

 private:
  Network& network_;
  uint64_t seed_;
  bool channels_last_;
};

}  // namespace smoothlab::models
