#include "trainer/network_device.h"

namespace smoothlab::trainer {

void move_to(models::Network& network, c10::Device device) {
  for (auto& parameter : network.parameters()) {
    const bool trainable = parameter.value.requires_grad();
    parameter.value = parameter.value.detach().to(device).requires_grad_(trainable);
  }
  for (auto& buffer : network.buffers()) buffer.value = buffer.value.to(device);
}

}  // namespace smoothlab::trainer
