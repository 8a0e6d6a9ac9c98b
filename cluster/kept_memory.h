#pragma once

#include <c10/core/Allocator.h>

#include <array>
#include <cstddef>
#include <mutex>

namespace smoothlab::cluster {

/// Memory of CPU tensors: a block that is free again is kept for the next tensor of about its size. glibc's
/// malloc looks through long lists of pieces where sizes change from step to step, as those of packed
/// sentences do, and its heap grows to several times of what is in use.
///
/// Sizes are rounded up by at most an eighth, or to 64 bytes. Kept blocks are given back, all of them, when
/// they come to more than `idle_limit` bytes and the most that was ever in use. Blocks are aligned to 64
/// bytes. Thread-safe. Outlives every tensor that has memory of it.
class KeptMemory final : public c10::Allocator {
 public:
  explicit KeptMemory(size_t idle_limit = size_t{256} << 20) : idle_limit_(idle_limit) {}
  ~KeptMemory() override { give_back(); }

  /// Throws c10::Error, as LibTorch's does, where there is no memory.
  c10::DataPtr allocate(size_t bytes);
  c10::DataPtr allocate(size_t bytes) const;  ///< older LibTorch's
  c10::DeleterFnPtr raw_deleter() const;
  void copy_data(void* to, const void* from, size_t bytes) const;  ///< newer LibTorch's

  size_t in_use() const;  ///< bytes
  size_t idle() const;    ///< bytes
  void give_back() const;

 private:
  struct Block;
  static void release(void* data);
  Block* take(size_t bytes) const;
  Block* kept(size_t size_class) const;
  void give_back_locked() const;

  static constexpr size_t kClasses = 512;
  size_t idle_limit_;
  mutable std::mutex mutex_;
  mutable std::array<Block*, kClasses> free_ = {};
  mutable size_t in_use_ = 0, most_in_use_ = 0, idle_ = 0;
};

/// From now on CPU tensors get their memory from a KeptMemory. Only the first call does anything.
void keep_tensor_memory();

}  // namespace smoothlab::cluster
