#include <algorithm>

#include "models/batch_norm_gpu_kernels.h"
#include "models/gpu_vector.cuh"

namespace smoothlab::models {
namespace {

constexpr int threads = 256;
/// Blocks of threads that a multiprocessor has at once at least.
constexpr int resident = 2;
/// Channels of a block of threads: their pixels' bytes are whole cache lines.
constexpr int tile_channels = 64;

/// Which channels and pixels a thread takes. Channels stay the same from pixel to pixel.
template <typename T>
struct Place {
  static constexpr int size = GpuVector<T>::size;
  int width;        ///< vectors of the tile
  int lane, lanes;  ///< pixels that a block takes at a time
  int in_tile;      ///< first channel within the tile
  int first;        ///< first channel of the tile
  int channels;     ///< of the image
  bool active;

  __device__ explicit Place(int channels_) : channels(channels_) {
    first = blockIdx.y * tile_channels;
    width = min(tile_channels, channels - first) / size;
    lanes = threads / width;
    lane = threadIdx.x / width;
    in_tile = (threadIdx.x % width) * size;
    active = lane < lanes;
  }
  __device__ int channel() const { return first + in_tile; }

  __device__ void load(const float* per_channel, float* out) const {
    for (int i = 0; i < size; ++i) out[i] = per_channel[i];
  }

  /// Calls body(offset, what the images have there) for each of the thread's pixels. An image that is null
  /// has nothing. Some pixels are on their way at a time, which the compiler would not see to where something
  /// is written in between.
  template <int count, typename Body>
  __device__ void sweep(int64_t pixels, const T* const (&images)[count], const Body& body) const {
    if (!active) return;
    constexpr int ahead = count > 2 ? 2 : 4;  // what registers hold
    const int64_t step = static_cast<int64_t>(gridDim.x) * lanes;
    const auto offset_of = [this](int64_t pixel) { return pixel * channels + channel(); };
    const auto read = [&](int64_t pixel, GpuVector<T>(&out)[count]) {
      for (int i = 0; i < count; ++i)
        if (images[i]) out[i] = *reinterpret_cast<const GpuVector<T>*>(images[i] + offset_of(pixel));
    };
    int64_t pixel = static_cast<int64_t>(blockIdx.x) * lanes + lane;
    for (; pixel + (ahead - 1) * step < pixels; pixel += ahead * step) {
      GpuVector<T> some[ahead][count];
#pragma unroll
      for (int k = 0; k < ahead; ++k) read(pixel + k * step, some[k]);
#pragma unroll
      for (int k = 0; k < ahead; ++k) body(offset_of(pixel + k * step), some[k]);
    }
    for (; pixel < pixels; pixel += step) {
      GpuVector<T> one[count];
      read(pixel, one);
      body(offset_of(pixel), one);
    }
  }
};

/// Adds up the two sums of every channel over a block's threads, and writes them to sums[blockIdx.x].
template <typename T>
__device__ void write_sums(const Place<T>& place, const float* one, const float* two, float* sums) {
  constexpr int size = Place<T>::size;
  __shared__ float shared[2 * size][threads];
  for (int i = 0; i < size; ++i) {
    shared[i][threadIdx.x] = one[i];
    shared[size + i][threadIdx.x] = two[i];
  }
  for (int rest = place.lanes; rest > 1;) {
    const int half = (rest + 1) / 2;
    __syncthreads();
    if (place.lane + half < rest)
      for (int i = 0; i < 2 * size; ++i)
        shared[i][threadIdx.x] += shared[i][threadIdx.x + half * place.width];
    rest = half;
  }
  __syncthreads();
  float* own = sums + static_cast<int64_t>(blockIdx.x) * 2 * place.channels;
  for (int i = threadIdx.x; i < 2 * place.width * size; i += threads) {
    const int which = i / (place.width * size), channel = i % (place.width * size);
    own[which * place.channels + place.first + channel] =
        shared[which * size + channel % size][channel / size];
  }
}

/// The two sums of every channel of a tile over all blocks.
struct TileSums {
  double one[tile_channels], two[tile_channels];
};

template <typename T>
__device__ void add_up(const Place<T>& place, const float* sums, int blocks, TileSums& total) {
  // As many threads a sum as there are threads for it.
  const int channels = place.width * place.size, columns = 2 * channels, slices = threads / columns;
  __shared__ double parts[threads];
  const int column = threadIdx.x % columns, slice = threadIdx.x / columns;
  const int which = column / channels, channel = column % channels;
  double sum = 0;
  if (slice < slices) {
    const float* from = sums + which * place.channels + place.first + channel;
#pragma unroll 16
    for (int block = slice; block < blocks; block += slices)
      sum += static_cast<double>(from[static_cast<int64_t>(block) * 2 * place.channels]);
    parts[threadIdx.x] = sum;
  }
  __syncthreads();
  if (slice == 0) {
    for (int other = 1; other < slices; ++other) sum += parts[other * columns + column];
    (which == 0 ? total.one : total.two)[channel] = sum;
  }
  __syncthreads();
}

template <typename T>
__global__ void __launch_bounds__(threads, resident)
    sums_kernel(int64_t pixels, int channels, const T* x, float* sums) {
  const Place<T> place(channels);
  float origin[place.size], sum[place.size] = {}, squares[place.size] = {};
  if (place.active) load(x, place.channel(), origin);
  place.sweep(pixels, {x}, [&](int64_t, const GpuVector<T>(&at)[1]) {
    float value[Place<T>::size];
    at[0].to(value);
    for (int i = 0; i < Place<T>::size; ++i) {
      const float shifted = value[i] - origin[i];
      sum[i] += shifted;
      squares[i] += shifted * shifted;
    }
  });
  write_sums(place, sum, squares, sums);
}

/// y = x · scale + shift, about the mean.
struct TileAffine {
  float mean[tile_channels], scale[tile_channels], shift[tile_channels];
};

template <typename T>
__device__ void normalise(const Place<T>& place, const TileAffine& affine, int64_t pixels, const T* x,
                          const T* residual, T* y, bool relu) {
  constexpr int size = Place<T>::size;
  if (!place.active) return;
  float mean[size], scale[size], shift[size];
  place.load(affine.mean + place.in_tile, mean);
  place.load(affine.scale + place.in_tile, scale);
  place.load(affine.shift + place.in_tile, shift);
  place.sweep(pixels, {x, residual}, [&](int64_t offset, const GpuVector<T>(&at)[2]) {
    float value[size], added[size] = {};
    at[0].to(value);
    if (residual) at[1].to(added);
    for (int i = 0; i < size; ++i) {
      value[i] = (value[i] - mean[i]) * scale[i] + shift[i] + added[i];
      if (relu && value[i] <= 0) value[i] = 0;  // NaN stays
    }
    store(y, offset, value);
  });
}

template <typename T>
__global__ void __launch_bounds__(threads, resident)
    normalise_kernel(int64_t pixels, int channels, GpuNorm norm, GpuBatchStatistics statistics,
                     const float* sums, int blocks, const T* x, const T* residual, T* y) {
  __shared__ TileSums total;
  __shared__ TileAffine affine;
  const Place<T> place(channels);
  add_up(place, sums, blocks, total);
  const int own = threadIdx.x, channel = place.first + own;
  if (own < tile_channels && channel < channels) {
    const double n = static_cast<double>(pixels),
                 origin = static_cast<double>(static_cast<float>(x[channel]));
    const double shift = total.one[own] / n, mean = origin + shift;
    const double variance = fmax(total.two[own] / n - shift * shift, 0.0);
    const double inverse = 1 / sqrt(variance + norm.epsilon);
    affine.mean[own] = static_cast<float>(mean);
    affine.scale[own] = static_cast<float>(norm.weight[channel] * inverse);
    // Far from zero, what float32 drops of the mean is no small part of a deviation.
    const double dropped = mean - static_cast<double>(affine.mean[own]);
    affine.shift[own] = static_cast<float>(norm.bias[channel] - norm.weight[channel] * inverse * dropped);
    if (blockIdx.x == 0) {
      statistics.saved[channel] = affine.mean[own];
      statistics.saved[channels + channel] = static_cast<float>(inverse);
      statistics.saved[2 * channels + channel] = static_cast<float>(dropped);
      const double share = statistics.momentum, unbiased = n > 1 ? variance * n / (n - 1) : variance;
      float& running_mean = statistics.running_mean[channel];
      float& running_var = statistics.running_var[channel];
      running_mean = static_cast<float>((1 - share) * running_mean + share * mean);
      running_var = static_cast<float>((1 - share) * running_var + share * unbiased);
    }
  }
  __syncthreads();
  normalise(place, affine, pixels, x, residual, y, norm.relu);
}

template <typename T>
__global__ void __launch_bounds__(threads, resident)
    normalise_running_kernel(int64_t pixels, int channels, GpuNorm norm, const float* running_mean,
                             const float* running_var, const T* x, const T* residual, T* y) {
  __shared__ TileAffine affine;
  const Place<T> place(channels);
  const int own = threadIdx.x, channel = place.first + own;
  if (own < tile_channels && channel < channels) {
    const double inverse = 1 / sqrt(static_cast<double>(running_var[channel]) + norm.epsilon);
    affine.mean[own] = running_mean[channel];
    affine.scale[own] = static_cast<float>(norm.weight[channel] * inverse);
    affine.shift[own] = norm.bias[channel];
  }
  __syncthreads();
  normalise(place, affine, pixels, x, residual, y, norm.relu);
}

/// What backward needs of a thread's channels.
template <typename T>
struct Masked {
  static constexpr int size = Place<T>::size;
  float mean[size], scale[size], bias[size];

  __device__ Masked(const Place<T>& place, const GpuNorm& norm, const float* saved) {
    if (!place.active) return;
    for (int i = 0; i < size; ++i) {
      const int channel = place.channel() + i;
      mean[i] = saved[channel];
      scale[i] = norm.weight[channel] * saved[place.channels + channel];
      bias[i] = norm.bias[channel] - scale[i] * saved[2 * place.channels + channel];
    }
  }

  /// at: of x, y (where has_output) and dy. g: the gradient where it passes; centred: x − mean.
  __device__ void take(const GpuVector<T> (&at)[3], bool relu, bool has_output, float* g,
                       float* centred) const {
    float value[size];
    at[0].to(centred);
    if (relu && has_output) at[1].to(value);
    at[2].to(g);
    for (int i = 0; i < size; ++i) {
      centred[i] -= mean[i];
      if (!relu) continue;
      const float output = has_output ? value[i] : centred[i] * scale[i] + bias[i];
      if (!(output > 0)) g[i] = 0;
    }
  }
};

template <typename T>
__global__ void __launch_bounds__(threads, resident)
    gradient_sums_kernel(int64_t pixels, int channels, GpuNorm norm, const float* saved, const T* x,
                         const T* y, const T* dy, float* sums) {
  constexpr int size = Place<T>::size;
  const Place<T> place(channels);
  const Masked<T> masked(place, norm, saved);
  float sum[size] = {}, products[size] = {};
  place.sweep(pixels, {x, y, dy}, [&](int64_t, const GpuVector<T>(&at)[3]) {
    float g[size], centred[size];
    masked.take(at, norm.relu, y != nullptr, g, centred);
    for (int i = 0; i < size; ++i) {
      sum[i] += g[i];
      products[i] += g[i] * centred[i];
    }
  });
  write_sums(place, sum, products, sums);
}

template <typename T>
__global__ void __launch_bounds__(threads, resident)
    gradient_kernel(int64_t pixels, int channels, GpuNorm norm, const float* saved, const float* sums,
                    int blocks, const T* x, const T* y, const T* dy, T* dx, T* d_residual, float* d_weight,
                    float* d_bias) {
  constexpr int size = Place<T>::size;
  __shared__ TileSums total;
  __shared__ float slopes[tile_channels], offsets[tile_channels];
  const Place<T> place(channels);
  add_up(place, sums, blocks, total);
  const int own = threadIdx.x, channel = place.first + own;
  if (own < tile_channels && channel < channels) {
    // dx = scale · (g − Σg/n − x̂ · Σ(g·x̂)/n), x̂ = (x − mean) / deviation.
    const double n = static_cast<double>(pixels), inverse = saved[channels + channel];
    const double scale = norm.weight[channel] * inverse, dropped = saved[2 * channels + channel];
    const double sum = total.one[own], products = total.two[own] - sum * dropped;
    const double slope = -scale * inverse * inverse * products / n;
    slopes[own] = static_cast<float>(slope);
    offsets[own] = static_cast<float>(-scale * sum / n - slope * dropped);
    if (blockIdx.x == 0) {
      d_weight[channel] = static_cast<float>(products * inverse);
      d_bias[channel] = static_cast<float>(sum);
    }
  }
  __syncthreads();
  if (!place.active) return;
  const Masked<T> masked(place, norm, saved);
  float slope[size], shift[size];
  place.load(slopes + place.in_tile, slope);
  place.load(offsets + place.in_tile, shift);
  place.sweep(pixels, {x, y, dy}, [&](int64_t offset, const GpuVector<T>(&at)[3]) {
    float g[size], centred[size];
    masked.take(at, norm.relu, y != nullptr, g, centred);
    if (d_residual) store(d_residual, offset, g);
    for (int i = 0; i < size; ++i) g[i] = masked.scale[i] * g[i] + slope[i] * centred[i] + shift[i];
    store(dx, offset, g);
  });
}

int tiles(const GpuImages& images) {
  return (images.channels + tile_channels - 1) / tile_channels;
}

/// Blocks of threads so that each thread takes some `pixels_each` vectors, `most` at most.
int blocks_for(const GpuImages& images, int pixels_each, int most) {
  const int width = std::min(images.channels, tile_channels) / gpu_vector_size(images.bfloat16);
  const int64_t lanes = threads / width * pixels_each;
  return static_cast<int>(std::clamp<int64_t>((images.pixels() + lanes - 1) / lanes, 1, most));
}

dim3 sweep_grid(const GpuImages& images) {
  return dim3(blocks_for(images, 4, std::max(1024 / tiles(images), 16)), tiles(images));
}

}  // namespace

int gpu_norm_blocks(const GpuImages& images) {
  return blocks_for(images, 8, std::clamp(512 / tiles(images), 16, 128));
}

cudaError_t launch_norm_sums(const GpuImages& images, const void* x, float* sums, cudaStream_t stream) {
  const dim3 grid(gpu_norm_blocks(images), tiles(images));
  return launch_for_type(images.bfloat16, [&](auto type) {
    sums_kernel<<<grid, threads, 0, stream>>>(images.pixels(), images.channels, as(x, type), sums);
  });
}

cudaError_t launch_normalise(const GpuImages& images, const GpuNorm& norm,
                             const GpuBatchStatistics& statistics, const float* sums, const void* x,
                             const void* residual, void* y, cudaStream_t stream) {
  return launch_for_type(images.bfloat16, [&](auto type) {
    normalise_kernel<<<sweep_grid(images), threads, 0, stream>>>(
        images.pixels(), images.channels, norm, statistics, sums, gpu_norm_blocks(images), as(x, type),
        as(residual, type), as(y, type));
  });
}

cudaError_t launch_normalise_running(const GpuImages& images, const GpuNorm& norm, const float* running_mean,
                                     const float* running_var, const void* x, const void* residual, void* y,
                                     cudaStream_t stream) {
  return launch_for_type(images.bfloat16, [&](auto type) {
    normalise_running_kernel<<<sweep_grid(images), threads, 0, stream>>>(
        images.pixels(), images.channels, norm, running_mean, running_var, as(x, type), as(residual, type),
        as(y, type));
  });
}

cudaError_t launch_norm_gradient_sums(const GpuImages& images, const GpuNorm& norm,
                                      const GpuNormGradient& gradient, float* sums, cudaStream_t stream) {
  const dim3 grid(gpu_norm_blocks(images), tiles(images));
  return launch_for_type(images.bfloat16, [&](auto type) {
    gradient_sums_kernel<<<grid, threads, 0, stream>>>(images.pixels(), images.channels, norm, gradient.saved,
                                                       as(gradient.x, type), as(gradient.y, type),
                                                       as(gradient.dy, type), sums);
  });
}

cudaError_t launch_norm_gradient(const GpuImages& images, const GpuNorm& norm,
                                 const GpuNormGradient& gradient, const float* sums, void* dx,
                                 void* d_residual, float* d_weight, float* d_bias, cudaStream_t stream) {
  return launch_for_type(images.bfloat16, [&](auto type) {
    gradient_kernel<<<sweep_grid(images), threads, 0, stream>>>(
        images.pixels(), images.channels, norm, gradient.saved, sums, gpu_norm_blocks(images),
        as(gradient.x, type), as(gradient.y, type), as(gradient.dy, type), as(dx, type), as(d_residual, type),
        d_weight, d_bias);
  });
}

}  // namespace smoothlab::models
