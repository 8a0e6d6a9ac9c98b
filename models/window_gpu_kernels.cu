#include <algorithm>

#include "models/gpu_vector.cuh"
#include "models/window_gpu_kernels.h"

namespace smoothlab::models {
namespace {

constexpr int threads = 256;

/// The thread's vector among all of the images, or false where there are fewer.
__device__ bool own_vector(int64_t vectors, int64_t& vector) {
  vector = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  return vector < vectors;
}

/// A vector's channels with `margin` more on either side, zeros where the pixel has none.
template <typename T, int margin>
struct Neighbourhood {
  static constexpr int size = GpuVector<T>::size, count = size + 2 * margin;
  float values[count];

  __device__ Neighbourhood(const T* pixel, int channel, int channels) {
    static_assert(margin % size == 0);
    for (int i = 0; i < count; i += size) {
      const int first = channel - margin + i;
      if (first >= 0 && first < channels)
        load(pixel, first, values + i);
      else
        for (int k = 0; k < size; ++k) values[i + k] = 0;
    }
  }
};

/// base^-beta; two roots are several times as fast as a power.
__device__ float power(float base, float beta) {
  return beta == 0.75f ? rsqrtf(base) * rsqrtf(sqrtf(base)) : powf(base, -beta);
}

/// Channels that a window needs on either side, in whole vectors.
template <typename T>
constexpr int window_margin =
    (gpu_greatest_depth_radius + GpuVector<T>::size - 1) / GpuVector<T>::size* GpuVector<T>::size;

template <typename T>
__global__ void response_norm_kernel(int64_t vectors, int channels, GpuResponseNorm norm, const T* x, T* y) {
  constexpr int size = GpuVector<T>::size, margin = window_margin<T>, radius = gpu_greatest_depth_radius;
  int64_t vector;
  if (!own_vector(vectors, vector)) return;
  const int64_t offset = vector * size;
  const int channel = static_cast<int>(offset % channels);
  const Neighbourhood<T, margin> near(x + offset - channel, channel, channels);
  float out[size];
  for (int i = 0; i < size; ++i) {
    float sum = 0;
    for (int d = -radius; d <= radius; ++d) {
      const float value = near.values[margin + i + d];
      if (abs(d) <= norm.depth_radius) sum += value * value;
    }
    out[i] = near.values[margin + i] * power(norm.bias + norm.alpha * sum, norm.beta);
  }
  store(y, offset, out);
}

/// dx_c = dy_c base_c^-β − 2 α β x_c Σ dy_k x_k base_k^(-β-1), over the window of c.
template <typename T>
__global__ void response_norm_gradient_kernel(int64_t vectors, int channels, GpuResponseNorm norm, const T* x,
                                              const T* dy, T* dx) {
  constexpr int size = GpuVector<T>::size, radius = gpu_greatest_depth_radius;
  // Those of the windows that the thread's channels lie in.
  constexpr int margin = (2 * radius + size - 1) / size * size, dy_margin = window_margin<T>;
  int64_t vector;
  if (!own_vector(vectors, vector)) return;
  const int64_t offset = vector * size;
  const int channel = static_cast<int>(offset % channels);
  const Neighbourhood<T, margin> near(x + offset - channel, channel, channels);
  const Neighbourhood<T, dy_margin> gradient(dy + offset - channel, channel, channels);
  float direct[size], products[size + 2 * radius];
#pragma unroll
  for (int k = 0; k < size + 2 * radius; ++k) {
    float sum = 0;
    for (int d = -radius; d <= radius; ++d) {
      const float value = near.values[margin - radius + k + d];
      if (abs(d) <= norm.depth_radius) sum += value * value;
    }
    const float base = norm.bias + norm.alpha * sum,
                scaled = gradient.values[dy_margin - radius + k] * power(base, norm.beta);
    products[k] = scaled * near.values[margin - radius + k] / base;
    if (k >= radius && k < radius + size) direct[k - radius] = scaled;
  }
  float out[size];
  for (int i = 0; i < size; ++i) {
    float sum = 0;
    for (int d = -radius; d <= radius; ++d)
      if (abs(d) <= norm.depth_radius) sum += products[radius + i + d];
    out[i] = direct[i] - 2 * norm.alpha * norm.beta * near.values[margin + i] * sum;
  }
  store(dx, offset, out);
}

/// The places of maxima of a vector, read and written at once.
template <int size>
struct alignas(size) Places {
  uint8_t of[size];
};

/// A vector's place: which image, where, which channel.
struct Pixel {
  int64_t image;
  int row, column, channel;
  __device__ Pixel(int64_t offset, int height, int width, int channels) {
    channel = static_cast<int>(offset % channels);
    const int64_t pixel = offset / channels;
    column = static_cast<int>(pixel % width);
    row = static_cast<int>(pixel / width % height);
    image = pixel / width / height;
  }
};

template <typename T>
__global__ void max_pool_kernel(int64_t vectors, int height, int width, int channels, GpuPool pool,
                                const T* x, T* y, uint8_t* which) {
  constexpr int size = GpuVector<T>::size;
  int64_t vector;
  if (!own_vector(vectors, vector)) return;
  const Pixel at(vector * size, pool.height, pool.width, channels);
  const int top = 2 * at.row - pool.padding_top, left = 2 * at.column - pool.padding_left;
  float greatest[size];
  Places<size> place;
  bool any = false;
  for (int step = 0; step < 9; ++step) {
    const int row = top + step / 3, column = left + step % 3;
    if (row < 0 || row >= height || column < 0 || column >= width) continue;
    float value[size];
    load(x, ((at.image * height + row) * width + column) * channels + at.channel, value);
    for (int i = 0; i < size; ++i) {
      if (any && !(value[i] > greatest[i] || value[i] != value[i])) continue;  // a NaN is taken and kept
      greatest[i] = value[i];
      place.of[i] = static_cast<uint8_t>(step);
    }
    any = true;
  }
  store(y, vector * size, greatest);
  *reinterpret_cast<Places<size>*>(which + vector * size) = place;
}

/// Every pixel asks the windows that it lies in, so that nothing is added to twice at a time.
template <typename T>
__global__ void max_pool_gradient_kernel(int64_t vectors, int height, int width, int channels, GpuPool pool,
                                         const uint8_t* which, const T* dy, T* dx) {
  constexpr int size = GpuVector<T>::size;
  int64_t vector;
  if (!own_vector(vectors, vector)) return;
  const Pixel at(vector * size, height, width, channels);
  const int from_top = at.row + pool.padding_top, from_left = at.column + pool.padding_left;
  float sum[size] = {};
  for (int row = max(from_top - 1, 0) / 2; row <= min(from_top / 2, pool.height - 1); ++row)
    for (int column = max(from_left - 1, 0) / 2; column <= min(from_left / 2, pool.width - 1); ++column) {
      const int64_t offset = ((at.image * pool.height + row) * pool.width + column) * channels + at.channel;
      const int own = (from_top - 2 * row) * 3 + from_left - 2 * column;
      float gradient[size];
      load(dy, offset, gradient);
      const auto place = *reinterpret_cast<const Places<size>*>(which + offset);
      for (int i = 0; i < size; ++i)
        if (place.of[i] == own) sum[i] += gradient[i];
    }
  store(dx, vector * size, sum);
}

unsigned blocks_for(int64_t vectors) {
  return static_cast<unsigned>((vectors + threads - 1) / threads);
}

int64_t vectors_of(const GpuImages& images) {
  return images.pixels() * (images.channels / gpu_vector_size(images.bfloat16));
}

int64_t vectors_of(const GpuImages& images, const GpuPool& pool) {
  return images.images * pool.height * pool.width * (images.channels / gpu_vector_size(images.bfloat16));
}

}  // namespace

cudaError_t launch_response_norm(const GpuImages& images, const GpuResponseNorm& norm, const void* x, void* y,
                                 cudaStream_t stream) {
  const int64_t vectors = vectors_of(images);
  return launch_for_type(images.bfloat16, [&](auto type) {
    response_norm_kernel<<<blocks_for(vectors), threads, 0, stream>>>(vectors, images.channels, norm,
                                                                      as(x, type), as(y, type));
  });
}

cudaError_t launch_response_norm_gradient(const GpuImages& images, const GpuResponseNorm& norm, const void* x,
                                          const void* dy, void* dx, cudaStream_t stream) {
  const int64_t vectors = vectors_of(images);
  return launch_for_type(images.bfloat16, [&](auto type) {
    response_norm_gradient_kernel<<<blocks_for(vectors), threads, 0, stream>>>(
        vectors, images.channels, norm, as(x, type), as(dy, type), as(dx, type));
  });
}

cudaError_t launch_max_pool(const GpuImages& images, const GpuPool& pool, const void* x, void* y,
                            uint8_t* which, cudaStream_t stream) {
  const int64_t vectors = vectors_of(images, pool);
  return launch_for_type(images.bfloat16, [&](auto type) {
    max_pool_kernel<<<blocks_for(vectors), threads, 0, stream>>>(
        vectors, images.height, images.width, images.channels, pool, as(x, type), as(y, type), which);
  });
}

cudaError_t launch_max_pool_gradient(const GpuImages& images, const GpuPool& pool, const uint8_t* which,
                                     const void* dy, void* dx, cudaStream_t stream) {
  const int64_t vectors = vectors_of(images);
  return launch_for_type(images.bfloat16, [&](auto type) {
    max_pool_gradient_kernel<<<blocks_for(vectors), threads, 0, stream>>>(
        vectors, images.height, images.width, images.channels, pool, which, as(dy, type), as(dx, type));
  });
}

}  // namespace smoothlab::models
