#pragma once

#include <c10/core/Device.h>

#include "models/network.h"

namespace smoothlab::trainer {

/// Parameters and buffers to where a network that was loaded is to compute. Parameters stay leaves that
/// require a gradient or do not, as they did. A network that is trained is moved by FlatParameters.
void move_to(models::Network& network, c10::Device device);

}  // namespace smoothlab::trainer
