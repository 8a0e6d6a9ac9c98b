#include "cluster/flat_layout.h"

#include <string>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

constexpr int64_t alignment = 16;

int64_t aligned(int64_t elements) {
  return (elements + alignment - 1) / alignment * alignment;
}

}  // namespace

FlatLayout::FlatLayout(const std::vector<at::Tensor>& prototypes, std::vector<int64_t> order)
    : entries_(prototypes.size()), order_(std::move(order)) {
  std::vector<bool> placed(prototypes.size(), false);
  if (order_.size() != prototypes.size())
    throw RunError(
        "order of " + std::to_string(order_.size()) + " tensors for " + std::to_string(prototypes.size()),
        "flat layout", "give every tensor one place");
  for (const int64_t tensor : order_) {
    if (tensor < 0 || tensor >= tensors() || placed[tensor])
      throw RunError("order is no permutation: " + std::to_string(tensor), "flat layout",
                     "give every tensor one place");
    placed[tensor] = true;
    const at::Tensor& prototype = prototypes[tensor];
    if (!prototype.is_non_overlapping_and_dense())
      throw RunError("tensor " + std::to_string(tensor) + " is not dense", "flat layout",
                     "make it contiguous first");
    entries_[tensor] = {total_, prototype.numel(), prototype.sizes().vec(), prototype.strides().vec()};
    total_ += aligned(prototype.numel());
  }
}

at::Tensor FlatLayout::view(const at::Tensor& flat, int64_t tensor) const {
  if (flat.dim() != 1 || flat.numel() != total_ || !flat.is_contiguous())
    throw RunError(
        "buffer of " + std::to_string(flat.numel()) + " elements for a layout of " + std::to_string(total_),
        "flat layout", "use a buffer [total()] made for this layout");
  const Entry& entry = entries_.at(tensor);
  return flat.as_strided(entry.sizes, entry.strides, flat.storage_offset() + entry.offset);
}

}  // namespace smoothlab::cluster
