#pragma once

#include <optional>
#include <string>

#include "models/safetensors.h"

namespace smoothlab::models {

/// What this program calls a tensor of timm's network of the same name: "features.6.branch3.1.bn.weight" of
/// "inception_v4" is "mixed_5b.branch3.norm1.weight". None for what has no place here, such as counts of
/// batches, and for networks other than inception_v4.
std::optional<std::string> name_from_timm(const std::string& network, const std::string& name);

/// The network of timm's that a file's tensors are named after, one and all; empty where there is none.
std::string timm_network(const TensorFile& file);

/// The file with this program's names, without counts of batches, where timm_network() says it is of this
/// network; otherwise the file as it is.
TensorFile renamed_from_timm(const std::string& network, TensorFile file);

}  // namespace smoothlab::models
