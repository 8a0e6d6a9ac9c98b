#include "models/conv_norm.h"

namespace smoothlab::models {

ConvNorm::ConvNorm(ParameterRegistry& registry, const std::string& block, size_t number,
                   const Conv2dShape& shape, const Initialiser& weight, const Statistics& statistics)
    : conv_(registry, block + ".conv" + std::to_string(number), shape, weight),
      norm_(registry, block + ".norm" + std::to_string(number), shape.out, statistics.epsilon,
            statistics.momentum) {}

}  // namespace smoothlab::models
