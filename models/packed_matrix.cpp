#include "models/packed_matrix.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "models/row_product.h"

namespace smoothlab::models {
namespace {

/// Columns that are worked on together.
constexpr int64_t kPanel = 32;
/// Rows whose results of a panel stay in the nearest cache.
constexpr int64_t kRows = 48;

}  // namespace

PackedMatrix::PackedMatrix(const at::Tensor& weight, const at::Tensor& bias)
    : in_(weight.size(1)), out_(weight.size(0)) {
  const int64_t panels = (out_ + kPanel - 1) / kPanel;
  panels_.assign(static_cast<size_t>(panels * in_ * kPanel), 0.0F);
  bias_.assign(static_cast<size_t>(panels * kPanel), 0.0F);
  const at::Tensor dense = weight.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* from = dense.data_ptr<float>();
  at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel)
      for (int64_t column = 0; column < std::min(kPanel, out_ - panel * kPanel); ++column)
        for (int64_t i = 0; i < in_; ++i)
          panels_[static_cast<size_t>((panel * in_ + i) * kPanel + column)] =
              from[(panel * kPanel + column) * in_ + i];
  });
  if (!bias.defined()) return;
  const at::Tensor offsets = bias.detach().to(at::kCPU, at::kFloat).contiguous();
  std::memcpy(bias_.data(), offsets.data_ptr<float>(), static_cast<size_t>(out_) * sizeof(float));
}

void PackedMatrix::multiply(const float* rows, int64_t m, float* results) const {
  const int64_t panels = (out_ + kPanel - 1) / kPanel;
  at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
    float tile[kRows * kPanel];
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t columns = std::min(kPanel, out_ - panel * kPanel);
      for (int64_t first = 0; first < m; first += kRows) {
        const int64_t count = std::min(kRows, m - first);
        for (int64_t row = 0; row < count; ++row)
          std::memcpy(tile + row * kPanel, &bias_[static_cast<size_t>(panel * kPanel)],
                      kPanel * sizeof(float));
        add_product(rows + first * in_, in_, &panels_[static_cast<size_t>(panel * in_ * kPanel)], kPanel,
                    tile, kPanel, count, kPanel, in_);
        for (int64_t row = 0; row < count; ++row)
          std::memcpy(results + (first + row) * out_ + panel * kPanel, tile + row * kPanel,
                      static_cast<size_t>(columns) * sizeof(float));
      }
    }
  });
}

}  // namespace smoothlab::models
