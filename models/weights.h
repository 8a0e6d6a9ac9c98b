#pragma once

#include <string>

#include "models/network.h"
#include "models/safetensors.h"

namespace smoothlab::models {

/// Every parameter and buffer by its name, in float32 and row-major order whatever the network keeps;
/// metadata "format": "smoothlab-weights-1", "network", "classes", "input" ("3x32x32"). The tensors are
/// copies.
TensorFile save_weights(const Network& network, const NetworkOptions& options);

/// Fills a network made from `options` with what save_weights wrote; each tensor keeps its dtype, strides and
/// identity. `where` names the file in errors. Throws DataError where the file is of another network, lacks a
/// tensor, has one more, or one of another shape or kind; the network is then as it was. A file without
/// metadata, such as other tools write, is judged by its tensors alone.
void load_weights(Network& network, const NetworkOptions& options, const TensorFile& file,
                  const std::string& where);

}  // namespace smoothlab::models
