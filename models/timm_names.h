#pragma once

#include <optional>
#include <string>

#include "models/safetensors.h"

namespace smoothlab::models {

/// What this program calls a tensor of a network of timm's: "features.6.branch3.1.bn.weight" of
/// "inception_v4" is "mixed_5b.branch3.norm1.weight". None for what has no place here, such as counts of
/// batches, and for networks other than inception_v4 and resnet50_imagenet (timm's and torchvision's
/// resnet50).
std::optional<std::string> name_from_timm(const std::string& network, const std::string& name);

/// The network, as recipes call it, that all tensors of a file have timm's names of; empty where there is
/// none.
std::string timm_network(const TensorFile& file);

/// The file with this program's names, without counts of batches, where timm_network() says it is of this
/// network; otherwise the file as it is.
TensorFile renamed_from_timm(const std::string& network, TensorFile file);

}  // namespace smoothlab::models
