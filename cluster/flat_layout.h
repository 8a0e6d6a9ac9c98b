#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace smoothlab::cluster {

/// Places a list of tensors end to end in one flat buffer: parameters, gradients, optimiser state and
/// averages all use the same layout, so one pass over memory updates them all. `order` says which tensor
/// stands where. Each tensor keeps the strides of its prototype (channels-last weights stay channels-last).
/// Every tensor starts at a multiple of 16 elements (64 bytes of float32); gaps hold zeros.
class FlatLayout {
 public:
  FlatLayout() = default;
  /// prototypes: dense tensors, whose sizes and strides are kept. order: a permutation of their indices.
  FlatLayout(const std::vector<at::Tensor>& prototypes, std::vector<int64_t> order);

  int64_t tensors() const { return static_cast<int64_t>(entries_.size()); }
  /// Elements in a flat buffer, gaps included.
  int64_t total() const { return total_; }
  int64_t offset(int64_t tensor) const { return entries_[tensor].offset; }
  /// Elements of one tensor.
  int64_t size(int64_t tensor) const { return entries_[tensor].size; }
  const std::vector<int64_t>& order() const { return order_; }

  /// Tensor number `tensor` as a view into a flat buffer [total()] of any dtype.
  at::Tensor view(const at::Tensor& flat, int64_t tensor) const;

 private:
  struct Entry {
    int64_t offset = 0, size = 0;
    std::vector<int64_t> sizes, strides;
  };
  std::vector<Entry> entries_;
  std::vector<int64_t> order_;
  int64_t total_ = 0;
};

}  // namespace smoothlab::cluster
