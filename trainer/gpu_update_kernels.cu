#include <cuda_bf16.h>

#include "trainer/gpu_update_kernels.h"

namespace smoothlab::trainer {
namespace {

constexpr int threads = 256;

/// Calls step(i, g, lr) for every element, which gives what is subtracted from the weight.
template <typename Step>
__device__ void sweep(const GpuBuffers& buffers, const Step& step) {
  const GpuChunk chunk = buffers.chunks[blockIdx.x];
  const float grad_scale = buffers.grad_scale ? *buffers.grad_scale : 1.0f;
  const float lr = buffers.factors[0] * chunk.lr_scale;
  const float l2 = buffers.decoupled ? 0.0f : chunk.weight_decay;
  const float shrink = buffers.decoupled ? 1.0f - lr * chunk.weight_decay : 1.0f;
  auto* working = static_cast<__nv_bfloat16*>(buffers.working);
  for (int offset = threadIdx.x; offset < chunk.count; offset += threads) {
    const int64_t i = chunk.begin + offset;
    const float weight = buffers.weights[i];
    const float g = buffers.gradients[i] * grad_scale + weight * l2;
    const float updated = weight * shrink - step(i, g, lr);
    buffers.weights[i] = updated;
    if (working) working[i] = __float2bfloat16_rn(updated);
  }
}

__global__ void momentum_kernel(GpuBuffers buffers, GpuMomentum rule) {
  sweep(buffers, [&](int64_t i, float g, float lr) {
    if (!rule.buffer) return lr * g;
    const float v = rule.momentum * rule.buffer[i] + rule.share * g;
    rule.buffer[i] = v;
    return rule.nesterov ? lr * (g + rule.momentum * v) : lr * v;
  });
}

__global__ void adam_kernel(GpuBuffers buffers, GpuAdam rule) {
  const float correction1 = buffers.factors[1], root2 = buffers.factors[2];
  sweep(buffers, [&](int64_t i, float g, float lr) {
    const float m = rule.beta1 * rule.first[i] + (1.0f - rule.beta1) * g;
    const float v = rule.beta2 * rule.second[i] + (1.0f - rule.beta2) * g * g;
    rule.first[i] = m;
    rule.second[i] = v;
    return lr * correction1 * m / (sqrtf(v) * root2 + rule.epsilon);
  });
}

__global__ void rmsprop_kernel(GpuBuffers buffers, GpuRmsprop rule) {
  sweep(buffers, [&](int64_t i, float g, float lr) {
    const float s = rule.decay * rule.mean_square[i] + (1.0f - rule.decay) * g * g;
    rule.mean_square[i] = s;
    const float x = g / (rule.epsilon_inside ? sqrtf(s + rule.epsilon) : sqrtf(s) + rule.epsilon);
    if (!rule.buffer) return lr * x;
    const float b = rule.momentum * rule.buffer[i] + (rule.epsilon_inside ? lr * x : x);
    rule.buffer[i] = b;
    return rule.epsilon_inside ? b : lr * b;
  });
}

}  // namespace

cudaError_t launch_update(const GpuBuffers& buffers, const GpuMomentum& rule, cudaStream_t stream) {
  momentum_kernel<<<buffers.chunk_count, threads, 0, stream>>>(buffers, rule);
  return cudaGetLastError();
}

cudaError_t launch_update(const GpuBuffers& buffers, const GpuAdam& rule, cudaStream_t stream) {
  adam_kernel<<<buffers.chunk_count, threads, 0, stream>>>(buffers, rule);
  return cudaGetLastError();
}

cudaError_t launch_update(const GpuBuffers& buffers, const GpuRmsprop& rule, cudaStream_t stream) {
  rmsprop_kernel<<<buffers.chunk_count, threads, 0, stream>>>(buffers, rule);
  return cudaGetLastError();
}

}  // namespace smoothlab::trainer
