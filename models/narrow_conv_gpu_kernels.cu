#include <cuda_bf16.h>

#include <algorithm>

#include "models/narrow_conv_gpu_kernels.h"

namespace smoothlab::models {
namespace {

using bf16 = __nv_bfloat16;

constexpr int taps = 9;
constexpr int chunk = 8;  ///< bf16 numbers in 16 bytes
/// Numbers from one pixel, or row of weights, to the next in a block's memory: 16 bytes more than there are,
/// so that eight neighbours lie in different banks.
__host__ __device__ constexpr int pitch_of(int numbers) {
  return numbers + chunk;
}

// The instructions of the tensor cores, from Ampere on. narrow_conv_ability() lets nothing older get here.

[[maybe_unused]] __device__ unsigned in_shared(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// 16 bytes, or zeros; they are there after await_copies().
__device__ void copy_or_zero(bf16* to, const bf16* from, bool copy) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(in_shared(to)), "l"(from),
               "r"(copy ? 16 : 0));
#else
  __trap();
#endif
}
__device__ void end_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;");
#else
  __trap();
#endif
}
/// All but the copies since the last but `later` end_copies().
template <int later>
__device__ void await_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(later) : "memory");
#else
  __trap();
#endif
}

/// Four 8×8 matrices. Lane i names row i % 8 of matrix i / 8; lane 4 g + t gets the numbers 2 t and 2 t + 1
/// of row g.
__device__ void load_matrices(unsigned (&out)[4], const bf16* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(in_shared(row)));
#else
  __trap();
#endif
}
/// The same of the matrices transposed.
__device__ void load_transposed(unsigned (&out)[4], const bf16* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(in_shared(row)));
#else
  __trap();
#endif
}
/// c (16×8) += a (16×16) · b (16×8). Lane 4 g + t holds c's numbers 2 t, 2 t + 1 of row g, then of row g + 8.
__device__ void multiply_add(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  __trap();
#endif
}

/// Some rows of an image with a border of a pixel, zeros where the image ends: [rows + 2, width + 2, pitch].
template <int channels, int threads>
__device__ void bring_bordered(bf16* to, const bf16* image, int height, int width, int top, int rows) {
  constexpr int chunks = channels / chunk;
  const int row_pixels = width + 2, all = (rows + 2) * row_pixels * chunks;
  for (int i = threadIdx.x; i < all; i += threads) {
    const int pixel = i / chunks, part = i % chunks * chunk;
    const int row = top + pixel / row_pixels - 1, column = pixel % row_pixels - 1;
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    const bf16* from =
        inside ? image + (static_cast<int64_t>(row) * width + column) * channels + part : image;
    copy_or_zero(to + pixel * pitch_of(channels) + part, from, inside);
  }
}

/// Columns of output channels that a lane computes lie apart (multiply_add); ordered like this they are
/// neighbours in memory. The row of channel `channel` among the weights in a block's memory.
template <int channels>
__device__ int weight_row(int channel) {
  constexpr int tiles = channels / 8;
  return channel / 2 % tiles * 8 + channel / (2 * tiles) * 2 + channel % 2;
}

template <int channels, int threads>
__device__ void bring_weights(bf16* to, const bf16* w, bool transposed) {
  constexpr int row = taps * channels;
  if (!transposed) {
    for (int i = threadIdx.x; i < channels * row / chunk; i += threads) {
      const int channel = i * chunk / row, part = i * chunk % row;
      copy_or_zero(to + weight_row<channels>(channel) * pitch_of(row) + part, w + i * chunk, true);
    }
    return;
  }
  for (int i = threadIdx.x; i < channels * row; i += threads) {
    const int out = i / row, tap = i / channels % taps, in = i % channels;
    to[weight_row<channels>(in) * pitch_of(row) + (taps - 1 - tap) * channels + out] = w[i];
  }
}

template <int channels>
struct ConvBlock {
  static constexpr int warps = channels == 16 ? 4 : 8;
  static constexpr int threads = 32 * warps;
  static constexpr int tiles = channels == 16 ? 4 : 1;  ///< of 16 pixels, that a warp has in work
  static int rows(const NarrowConv& shape) {
    const int pixels = channels == 16 || shape.width > 16 ? 256 : 128;
    return std::clamp(pixels / shape.width, 1, shape.height);
  }
  static size_t bytes(const NarrowConv& shape) {
    return sizeof(bf16) * (size_t{1} * (rows(shape) + 2) * (shape.width + 2) * pitch_of(channels) +
                           channels * pitch_of(taps * channels));
  }
};

/// A block takes `rows` rows of an image. Pixels are rows of the product, output channels its columns.
template <int channels>
__global__ void __launch_bounds__(ConvBlock<channels>::threads)
    conv_kernel(int height, int width, int rows, const bf16* x, const bf16* w, bool transposed, bf16* y) {
  using Block = ConvBlock<channels>;
  constexpr int columns = channels / 8, pitch = pitch_of(channels), weight_pitch = pitch_of(taps * channels);
  extern __shared__ uint4 memory[];
  bf16* const image = reinterpret_cast<bf16*>(memory);
  bf16* const weights = image + (rows + 2) * (width + 2) * pitch;
  const int strips = (height + rows - 1) / rows, top = blockIdx.x % strips * rows;
  const int64_t first_pixel = static_cast<int64_t>(blockIdx.x / strips) * height * width;
  bring_bordered<channels, Block::threads>(image, x + first_pixel * channels, height, width, top, rows);
  bring_weights<channels, Block::threads>(weights, w, transposed);
  end_copies();
  await_copies<0>();
  __syncthreads();

  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int pixels = min(rows, height - top) * width;
  bf16* const out = y + (first_pixel + static_cast<int64_t>(top) * width) * channels;
  const bf16* const b_row = weights + (lane / 16 * 8 + lane % 8) * weight_pitch + lane / 8 % 2 * 8;
  for (int first = warp * Block::tiles; first * 16 < pixels; first += Block::warps * Block::tiles) {
    float sums[Block::tiles][columns][4] = {};
    const bf16* a_rows[Block::tiles];
    for (int tile = 0; tile < Block::tiles; ++tile) {
      const int pixel = min((first + tile) * 16 + lane % 16, pixels - 1);
      a_rows[tile] = image + (pixel / width * (width + 2) + pixel % width) * pitch + lane / 16 * 8;
    }
#pragma unroll
    for (int tap = 0; tap < taps; ++tap) {
      const int shift = (tap / 3 * (width + 2) + tap % 3) * pitch;
#pragma unroll
      for (int in = 0; in < channels; in += 16) {
        unsigned b[columns / 2][4];
        for (int pair = 0; pair < columns / 2; ++pair)
          load_matrices(b[pair], b_row + pair * 16 * weight_pitch + tap * channels + in);
        for (int tile = 0; tile < Block::tiles; ++tile) {
          unsigned a[4];
          load_matrices(a, a_rows[tile] + shift + in);
          for (int column = 0; column < columns; ++column)
            multiply_add(sums[tile][column], a, b[column / 2][column % 2 * 2],
                         b[column / 2][column % 2 * 2 + 1]);
        }
      }
    }
    for (int tile = 0; tile < Block::tiles; ++tile)
      for (int half = 0; half < 2; ++half) {
        const int pixel = (first + tile) * 16 + lane / 4 + 8 * half;
        if (pixel >= pixels) continue;
        alignas(16) __nv_bfloat162 values[columns];
        for (int column = 0; column < columns; ++column)
          values[column] =
              __floats2bfloat162_rn(sums[tile][column][2 * half], sums[tile][column][2 * half + 1]);
        bf16* to = out + static_cast<int64_t>(pixel) * channels + lane % 4 * 2 * columns;
        if constexpr (columns == 2)
          *reinterpret_cast<uint2*>(to) = *reinterpret_cast<uint2*>(values);
        else
          *reinterpret_cast<uint4*>(to) = *reinterpret_cast<uint4*>(values);
      }
  }
}

/// A warp takes a tap, a block 16 output channels: rows of the product; its columns are input channels.
template <int channels>
struct WeightsBlock {
  static constexpr int threads = 32 * taps;
  static constexpr int outs = 16;
  static int rows(const NarrowConv& shape) {
    const int pixels = channels == 16 ? 512 : channels == 32 ? 256 : 128;
    return std::clamp(pixels / shape.width, 1, shape.height);
  }
  static int64_t units(const NarrowConv& shape) {
    return shape.images * ((shape.height + rows(shape) - 1) / rows(shape));
  }
  static int parts(const NarrowConv& shape) {
    return static_cast<int>(std::min<int64_t>(units(shape), channels == 16 ? 256 : channels == 32 ? 64 : 32));
  }
  /// Numbers of a strip with its border, and of its gradients: whole tiles of 16 pixels.
  static __host__ __device__ int image_numbers(int width, int rows) {
    return (rows + 2) * (width + 2) * pitch_of(channels);
  }
  static __host__ __device__ int strip_numbers(int width, int rows) {
    return image_numbers(width, rows) + (rows * width + 15) / 16 * 16 * pitch_of(outs);
  }
  static size_t bytes(const NarrowConv& shape) {
    const size_t bordered = size_t{1} * (rows(shape) + 2) * (shape.width + 2) * pitch_of(channels);
    return sizeof(bf16) *
           (bordered + (size_t{1} * rows(shape) * shape.width + 15) / 16 * 16 * pitch_of(outs));
  }
  /// A strip is brought while the one before is worked on, where a block has several and room for two.
  static int stages(const NarrowConv& shape, size_t room) {
    return units(shape) > parts(shape) && 2 * bytes(shape) <= room ? 2 : 1;
  }
};

template <int channels>
__device__ void bring_strip(bf16* to, int64_t unit, int height, int width, int rows, int first_out,
                            const bf16* x, const bf16* dy) {
  using Block = WeightsBlock<channels>;
  const int strips = (height + rows - 1) / rows, top = static_cast<int>(unit % strips) * rows;
  const int64_t first_pixel = unit / strips * height * width;
  bring_bordered<channels, Block::threads>(to, x + first_pixel * channels, height, width, top, rows);
  bf16* const gradients = to + Block::image_numbers(width, rows);
  const int pixels = min(rows, height - top) * width, all = (rows * width + 15) / 16 * 16 * 2;
  const bf16* from = dy + (first_pixel + static_cast<int64_t>(top) * width) * channels + first_out;
  for (int i = threadIdx.x; i < all; i += Block::threads) {
    const int pixel = i / 2, part = i % 2 * chunk;
    const bool inside = pixel < pixels;
    copy_or_zero(gradients + pixel * pitch_of(Block::outs) + part,
                 inside ? from + static_cast<int64_t>(pixel) * channels + part : dy, inside);
  }
  end_copies();
}

template <int channels>
__global__ void __launch_bounds__(WeightsBlock<channels>::threads)
    weights_kernel(int64_t units, int height, int width, int rows, int stages, const bf16* x, const bf16* dy,
                   float* parts) {
  using Block = WeightsBlock<channels>;
  constexpr int columns = channels / 8, pitch = pitch_of(channels), dy_pitch = pitch_of(Block::outs);
  extern __shared__ uint4 memory[];
  bf16* const strips = reinterpret_cast<bf16*>(memory);
  const int strip = Block::strip_numbers(width, rows), first_out = blockIdx.y * Block::outs;
  const int tap = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int shift = (tap / 3 * (width + 2) + tap % 3) * pitch;
  const int tiles = (rows * width + 15) / 16;
  const int step = gridDim.x;
  float sums[columns][4] = {};

  bring_strip<channels>(strips, blockIdx.x, height, width, rows, first_out, x, dy);
  int stage = 0;
  for (int64_t unit = blockIdx.x; unit < units; unit += step) {
    const bool more = unit + step < units;
    if (more && stages == 2) {
      bring_strip<channels>(strips + (stage ^ 1) * strip, unit + step, height, width, rows, first_out, x, dy);
      await_copies<1>();
    } else {
      await_copies<0>();
    }
    __syncthreads();
    const bf16* const image = strips + stage * strip;
    const bf16* const gradients = image + Block::image_numbers(width, rows);
    for (int tile = 0; tile < tiles; ++tile) {
      unsigned a[4];
      load_transposed(a, gradients + (tile * 16 + lane % 8 + lane / 16 * 8) * dy_pitch + lane / 8 % 2 * 8);
      const int pixel = min(tile * 16 + lane % 8 + lane / 8 % 2 * 8, rows * width - 1);
      const bf16* const b_row =
          image + (pixel / width * (width + 2) + pixel % width) * pitch + shift + lane / 16 * 8;
#pragma unroll
      for (int pair = 0; pair < columns / 2; ++pair) {
        unsigned b[4];
        load_transposed(b, b_row + pair * 16);
        multiply_add(sums[2 * pair], a, b[0], b[1]);
        multiply_add(sums[2 * pair + 1], a, b[2], b[3]);
      }
    }
    __syncthreads();
    if (more && stages == 1)
      bring_strip<channels>(strips, unit + step, height, width, rows, first_out, x, dy);
    stage = (stage ^ 1) % stages;
  }
  float* const part = parts + static_cast<int64_t>(blockIdx.x) * channels * taps * channels;
  for (int column = 0; column < columns; ++column)
    for (int half = 0; half < 2; ++half) {
      const int out = first_out + lane / 4 + 8 * half;
      float* to = part + (out * taps + tap) * channels + column * 8 + lane % 4 * 2;
      *reinterpret_cast<float2*>(to) = make_float2(sums[column][2 * half], sums[column][2 * half + 1]);
    }
}

constexpr int sum_columns = 32, sum_slices = 8;

/// dw = the sum of all parts.
__global__ void add_parts_kernel(const float* parts, int count, int size, bf16* dw) {
  __shared__ float slices[sum_slices][sum_columns];
  const int column = blockIdx.x * sum_columns + threadIdx.x;
  float sum = 0;
  if (column < size) {
#pragma unroll 8
    for (int part = threadIdx.y; part < count; part += sum_slices)
      sum += parts[static_cast<int64_t>(part) * size + column];
  }
  slices[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || column >= size) return;
  for (int slice = 1; slice < sum_slices; ++slice) sum += slices[slice][threadIdx.x];
  dw[column] = __float2bfloat16_rn(sum);
}

/// Bytes that the current device gives a block that asks for them; 0 where it is too old, or the kernels were
/// compiled for devices that are.
size_t room() {
  int device = 0, bytes = 0, major = 0;
  cudaFuncAttributes compiled{};
  const bool known =
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) == cudaSuccess &&
      cudaFuncGetAttributes(&compiled, conv_kernel<16>) == cudaSuccess;
  return known && major >= 8 && compiled.ptxVersion >= 80 ? static_cast<size_t>(bytes) : 0;
}

/// More than 48 KiB must be asked for, always as much: another thread may be between this and its launch.
template <typename Kernel>
cudaError_t ask_for(Kernel kernel, size_t bytes) {
  return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}

template <int channels>
cudaError_t conv(const NarrowConv& shape, const void* x, const void* w, bool transposed, void* y,
                 cudaStream_t stream) {
  using Block = ConvBlock<channels>;
  const int rows = Block::rows(shape);
  const size_t bytes = Block::bytes(shape);
  if (const cudaError_t error = ask_for(conv_kernel<channels>, room()); error != cudaSuccess) return error;
  const auto blocks = static_cast<unsigned>(shape.images * ((shape.height + rows - 1) / rows));
  conv_kernel<channels><<<blocks, Block::threads, bytes, stream>>>(
      shape.height, shape.width, rows, static_cast<const bf16*>(x), static_cast<const bf16*>(w), transposed,
      static_cast<bf16*>(y));
  return cudaGetLastError();
}

template <int channels>
cudaError_t conv_weights(const NarrowConv& shape, const void* x, const void* dy, float* parts, void* dw,
                         cudaStream_t stream) {
  using Block = WeightsBlock<channels>;
  const size_t most = room();
  const int stages = Block::stages(shape, most);
  if (const cudaError_t error = ask_for(weights_kernel<channels>, most); error != cudaSuccess) return error;
  const int count = Block::parts(shape), size = channels * taps * channels;
  weights_kernel<channels>
      <<<dim3(count, channels / Block::outs), Block::threads, stages * Block::bytes(shape), stream>>>(
          Block::units(shape), shape.height, shape.width, Block::rows(shape), stages,
          static_cast<const bf16*>(x), static_cast<const bf16*>(dy), parts);
  add_parts_kernel<<<(size + sum_columns - 1) / sum_columns, dim3(sum_columns, sum_slices), 0, stream>>>(
      parts, count, size, static_cast<bf16*>(dw));
  return cudaGetLastError();
}

}  // namespace

NarrowConvAbility narrow_conv_ability(const NarrowConv& shape) {
  const size_t most = room();
  const auto fits = [most](size_t bytes) { return bytes <= most; };
  switch (shape.channels) {
    case 16:
      return {fits(ConvBlock<16>::bytes(shape)), fits(WeightsBlock<16>::bytes(shape))};
    case 32:
      return {fits(ConvBlock<32>::bytes(shape)), fits(WeightsBlock<32>::bytes(shape))};
    case 64:
      return {false, fits(WeightsBlock<64>::bytes(shape))};
    default:
      return {};
  }
}

cudaError_t launch_narrow_conv(const NarrowConv& shape, const void* x, const void* w, bool transposed,
                               void* y, cudaStream_t stream) {
  return shape.channels == 16 ? conv<16>(shape, x, w, transposed, y, stream)
                              : conv<32>(shape, x, w, transposed, y, stream);
}

int narrow_conv_parts(const NarrowConv& shape) {
  return shape.channels == 16   ? WeightsBlock<16>::parts(shape)
         : shape.channels == 32 ? WeightsBlock<32>::parts(shape)
                                : WeightsBlock<64>::parts(shape);
}

cudaError_t launch_narrow_conv_weights(const NarrowConv& shape, const void* x, const void* dy, float* parts,
                                       void* dw, cudaStream_t stream) {
  return shape.channels == 16   ? conv_weights<16>(shape, x, dy, parts, dw, stream)
         : shape.channels == 32 ? conv_weights<32>(shape, x, dy, parts, dw, stream)
                                : conv_weights<64>(shape, x, dy, parts, dw, stream);
}

}  // namespace smoothlab::models
