#include "cluster/kept_memory.h"

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace smoothlab::cluster {
namespace {

constexpr size_t kAlignment = 64;

/// Classes 0 … 63 are multiples of 64 bytes up to 4096; above, eight to an octave.
struct SizeClass {
  size_t number, bytes;
};

SizeClass class_of(size_t bytes) {
  if (bytes <= 4096) {
    const size_t number = bytes == 0 ? 0 : (bytes - 1) / kAlignment;
    return {number, (number + 1) * kAlignment};
  }
  const auto octave =
      static_cast<size_t>(63 - __builtin_clzll(bytes - 1));  // 2^octave < bytes ≤ 2^(octave+1)
  const size_t step = size_t{1} << (octave - 3);
  const size_t eighth = (bytes - (size_t{1} << octave) + step - 1) / step;  // 1 … 8
  return {64 + (octave - 12) * 8 + eighth - 1, (size_t{1} << octave) + eighth * step};
}

/// Whoever counts a thread's memory, as trainer/activation_memory does, is told what LibTorch's allocator
/// tells.
void report(void* data, int64_t bytes) {
  if (c10::memoryProfilingEnabled())
    c10::reportMemoryUsageToProfiler(data, bytes, 0, 0, c10::Device(c10::DeviceType::CPU));
}

}  // namespace

/// Before the bytes of a tensor.
struct alignas(kAlignment) KeptMemory::Block {
  const KeptMemory* owner;
  size_t size_class, bytes;
  Block* next;
  int64_t asked = 0;  ///< bytes that the tensor wanted

  void* data() { return this + 1; }
};

c10::DataPtr KeptMemory::allocate(size_t bytes) const {
  const c10::Device cpu(c10::DeviceType::CPU);
  if (bytes == 0) return {nullptr, nullptr, &release, cpu};
  Block* const block = take(bytes);
  block->asked = static_cast<int64_t>(bytes);
  void* const data = block->data();
  report(data, block->asked);
  return {data, data, &release, cpu};
}

c10::DataPtr KeptMemory::allocate(size_t bytes) {
  return const_cast<const KeptMemory*>(this)->allocate(bytes);
}

c10::DeleterFnPtr KeptMemory::raw_deleter() const {
  return &release;
}

void KeptMemory::copy_data(void* to, const void* from, size_t bytes) const {
  std::memcpy(to, from, bytes);
}

KeptMemory::Block* KeptMemory::kept(size_t size_class) const {
  Block* const block = free_[size_class];
  if (block) {
    free_[size_class] = block->next;
    idle_ -= block->bytes;
  }
  return block;
}

KeptMemory::Block* KeptMemory::take(size_t bytes) const {
  // In LibTorch's words: as_error() knows them.
  const auto refuse = [bytes] { TORCH_CHECK(false, "can't allocate memory: a tensor of ", bytes, " bytes"); };
  if (bytes > size_t{1} << 48) refuse();
  const SizeClass wanted = class_of(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  Block* block = kept(wanted.number);
  if (!block) {
    if (idle_ > idle_limit_ + most_in_use_) give_back_locked();
    const auto fresh = [&] { return std::aligned_alloc(kAlignment, sizeof(Block) + wanted.bytes); };
    void* memory = fresh();
    if (!memory) {
      give_back_locked();
      memory = fresh();
    }
    if (!memory) refuse();
    block = new (memory) Block{this, wanted.number, wanted.bytes, nullptr, 0};
  }
  in_use_ += block->bytes;
  most_in_use_ = std::max(most_in_use_, in_use_);
  return block;
}

void KeptMemory::release(void* data) {
  if (!data) return;
  Block* const block = static_cast<Block*>(data) - 1;
  report(data, -block->asked);
  const KeptMemory& owner = *block->owner;
  const std::lock_guard<std::mutex> lock(owner.mutex_);
  owner.in_use_ -= block->bytes;
  owner.idle_ += block->bytes;
  block->next = owner.free_[block->size_class];
  owner.free_[block->size_class] = block;
}

void KeptMemory::give_back() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  give_back_locked();
}

void KeptMemory::give_back_locked() const {
  for (Block*& first : free_)
    while (first) {
      Block* const next = first->next;
      std::free(first);
      first = next;
    }
  idle_ = 0;
}

size_t KeptMemory::in_use() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return in_use_;
}

size_t KeptMemory::idle() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return idle_;
}

void keep_tensor_memory() {
  // Tensors may die after everything else has.
  static KeptMemory* const memory = [] {
    auto* const made = new KeptMemory;
    c10::SetCPUAllocator(made, 1);
    return made;
  }();
  (void)memory;
}

}  // namespace smoothlab::cluster
