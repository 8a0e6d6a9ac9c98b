#pragma once

#include <array>
#include <cstdint>

namespace smoothlab {

/// What a random number is for. Part of its address, so that two uses never share numbers. Values are part
/// of what a seed means: never renumber.
enum class Purpose : uint8_t {
  shuffle = 1,
  augmentation = 2,
  initialisation = 3,
  dropout = 4,
  label_noise = 5,
  generated_data = 6,
  bootstrap = 7,
  monte_carlo = 8,
  split = 9,
  token_sampling = 10,
  stand_in = 11,
};

/// Philox4x32-10 (Salmon et al., SC 2011): a bijection of a 128-bit counter under a 64-bit key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Random numbers that are addressed, not consumed: each is a pure function of (seed, purpose, epoch,
/// sample, draw). There is no state, so rank, thread and order of computation cannot matter.
class AddressedRandom {
 public:
  /// epoch < 2^32, sample < 2^56. What "epoch" and "sample" mean is the purpose's own affair.
  AddressedRandom(uint64_t seed, Purpose purpose, uint64_t epoch, uint64_t sample);

  /// Four 32-bit words of block `draw`.
  std::array<uint32_t, 4> block(uint32_t draw) const;
  /// Sixteen consecutive blocks at once, for those who need many: words[16·w + i] is word w of block
  /// `first` + i.
  void sixteen_blocks(uint32_t first, uint32_t* words) const;
  /// 32 random bits.
  uint32_t bits(uint32_t draw) const { return block(draw)[0]; }
  /// Uniform on [0, 1), 53 bits.
  double uniform(uint32_t draw) const;
  /// Uniform on {0, …, n−1}, n ≥ 1; bias below n/2^64.
  uint64_t below(uint64_t n, uint32_t draw) const;
  /// Standard normal (Box–Muller on the block).
  double normal(uint32_t draw) const;

 private:
  std::array<uint32_t, 2> key_;
  uint32_t epoch_, sample_low_, sample_high_and_purpose_;
};

}  // namespace smoothlab
