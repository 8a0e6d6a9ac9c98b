#include "models/conv_weight_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "models/pair_products.h"

namespace smoothlab::models {
namespace {

using c10::BFloat16;
using pair_products::kColumns;
using pair_products::kRows;

/// Pairs of pixels that are packed and multiplied at a time, and panels: what is packed stays in a core's
/// caches, and a pixel's inputs are read by whole lines.
constexpr int64_t kMostPairs = 256, kMostPanels = 4;

/// Fewer output channels do not repay what packing the inputs takes.
constexpr int64_t kLeastOut = 96;

template <typename T>
at::Tensor scratch(int64_t count) {
  return at::empty({count * static_cast<int64_t>(sizeof(T))}, at::kByte);
}

template <typename T>
T* words_of(const at::Tensor& scratch) {
  return static_cast<T*>(scratch.data_ptr());
}

/// The gradient as a matrix product: a row for each output channel, a column for each weight of it (kernel
/// position, then input channel), summed over output pixels, which follow each other through rows and
/// samples. Columns are taken in panels.
class Product {
 public:
  Product(const at::Tensor& input, const at::Tensor& output_gradient, const Conv2dShape& shape)
      : shape_(shape),
        height_(input.size(2)),
        width_(input.size(3)),
        out_height_(output_gradient.size(2)),
        out_width_(output_gradient.size(3)),
        pixels_(output_gradient.size(0) * out_height_ * out_width_),
        panels_(shape.fan_in() / kColumns),
        x_(input.data_ptr<BFloat16>()),
        dy_(output_gradient.data_ptr<BFloat16>()),
        zeros_(static_cast<size_t>(std::max(shape.in, shape.out))),
        gradients_(scratch<uint32_t>(kMostPairs * shape.out)),
        sums_(scratch<float>(shape.out * shape.fan_in())) {}

  at::Tensor gradient() {
    const int64_t all = (pixels_ + 1) / 2, chunks = (all + kMostPairs - 1) / kMostPairs;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const int64_t first = all * chunk / chunks, pairs = all * (chunk + 1) / chunks - first;
      pack_gradients(first, pairs);
      place_windows(first, pairs);
      at::parallel_for(0, panels_, 1, [&](int64_t begin, int64_t end) {
        const at::Tensor packed = scratch<uint32_t>(kMostPanels * pairs * kColumns);
        for (int64_t panel = begin; panel < end;) {
          const int64_t in_position = shape_.in / kColumns;
          const int64_t count = std::min({kMostPanels, end - panel, in_position - panel % in_position});
          pack_panels(panel, count, words_of<uint32_t>(packed));
          for (int64_t i = 0; i < count; ++i, ++panel)
            multiply(panel, pairs, words_of<uint32_t>(packed) + i * pairs * kColumns, chunk > 0);
        }
      });
    }
    return rounded();
  }

 private:
  /// Where the window of an output pixel begins in the image; below every image where there is no pixel.
  struct Window {
    const BFloat16* image;
    int64_t row, column;
  };

  /// gradients_[block of channels][pair][channel]
  void pack_gradients(int64_t first, int64_t pairs) {
    auto* const blocks = words_of<uint32_t>(gradients_);
    at::parallel_for(0, pairs, 32, [&](int64_t begin, int64_t end) {
      std::vector<uint32_t> row(static_cast<size_t>(shape_.out));
      for (int64_t pair = begin; pair < end; ++pair) {
        const BFloat16* pixels[2];
        for (int64_t i = 0; i < 2; ++i) {
          const int64_t pixel = 2 * (first + pair) + i;
          pixels[i] = pixel < pixels_ ? dy_ + pixel * shape_.out : zeros_.data();
        }
        pair_products::interleave(pixels, 1, 0, shape_.out, row.data(), kColumns);
        for (int64_t channel = 0; channel < shape_.out; channel += kRows) {
          const int64_t rows = std::min(kRows, shape_.out - channel);
          std::copy_n(row.data() + channel, rows, blocks + channel * pairs + pair * rows);
        }
      }
    });
  }

  void place_windows(int64_t first, int64_t pairs) {
    windows_.resize(static_cast<size_t>(2 * pairs));
    for (int64_t i = 0; i < 2 * pairs; ++i) {
      const int64_t pixel = 2 * first + i, line = pixel / out_width_;
      const int64_t row = line % out_height_ * shape_.stride - shape_.padding.height;
      windows_[static_cast<size_t>(i)] = {x_ + line / out_height_ * height_ * width_ * shape_.in,
                                          pixel < pixels_ ? row : height_,
                                          pixel % out_width_ * shape_.stride - shape_.padding.width};
    }
  }

  /// The input's channels under a kernel position, or zeros.
  const BFloat16* under(const Window& window, int64_t down, int64_t across) const {
    const int64_t row = window.row + down, column = window.column + across;
    const bool inside = row >= 0 && row < height_ && column >= 0 && column < width_;
    return inside ? window.image + (row * width_ + column) * shape_.in : zeros_.data();
  }

  /// packed[panel][pair][column], for panels of one kernel position.
  void pack_panels(int64_t first, int64_t count, uint32_t* packed) const {
    const int64_t position = first * kColumns / shape_.in, channel = first * kColumns % shape_.in;
    std::vector<const BFloat16*> rows(windows_.size());
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = under(windows_[i], position / shape_.kernel.width, position % shape_.kernel.width);
    const auto pairs = static_cast<int64_t>(rows.size() / 2);
    pair_products::interleave(rows.data(), pairs, channel, count * kColumns, packed, pairs * kColumns);
  }

  void multiply(int64_t panel, int64_t pairs, const uint32_t* packed, bool add) {
    float* const sums = words_of<float>(sums_) + panel * shape_.out * kColumns;
    for (int64_t channel = 0; channel < shape_.out; channel += kRows)
      pair_products::block_product(words_of<uint32_t>(gradients_) + channel * pairs, packed, pairs,
                                   std::min(kRows, shape_.out - channel), sums + channel * kColumns, add);
  }

  at::Tensor rounded() const {
    at::Tensor result = at::empty({shape_.out, shape_.in, shape_.kernel.height, shape_.kernel.width},
                                  at::kBFloat16, at::MemoryFormat::ChannelsLast);
    auto* const weights = result.data_ptr<BFloat16>();
    at::parallel_for(0, shape_.out, 16, [&](int64_t begin, int64_t end) {
      for (int64_t panel = 0; panel < panels_; ++panel)
        for (int64_t channel = begin; channel < end; ++channel)
          pair_products::round(words_of<float>(sums_) + (panel * shape_.out + channel) * kColumns,
                               weights + (channel * panels_ + panel) * kColumns);
    });
    return result;
  }

  const Conv2dShape shape_;
  const int64_t height_, width_, out_height_, out_width_, pixels_, panels_;
  const BFloat16 *const x_, *const dy_;
  const std::vector<BFloat16> zeros_;
  const at::Tensor gradients_, sums_;  ///< sums_: [panel][output channel][column]
  std::vector<Window> windows_;
};

}  // namespace

bool conv_weight_gradient_takes(const at::Tensor& input, int64_t out) {
  return pair_products::available() && input.dim() == 4 && input.numel() > 0 && input.is_cpu() &&
         input.scalar_type() == at::kBFloat16 && input.size(1) % kColumns == 0 && out % kColumns == 0 &&
         out >= kLeastOut && input.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor conv_weight_gradient(const at::Tensor& input, const at::Tensor& output_gradient,
                                const Conv2dShape& shape) {
  return Product(input, output_gradient, shape).gradient();
}

}  // namespace smoothlab::models
