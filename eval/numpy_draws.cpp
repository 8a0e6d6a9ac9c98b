#include "eval/numpy_draws.h"

#include <array>
#include <cstddef>

namespace smoothlab::eval {
namespace {

/// SeedSequence(seed).generate_state(8, uint32): a pool of four words in which each depends on all of the
/// seed.
std::array<uint32_t, 8> seed_words(uint64_t seed) {
  uint32_t constant = 0x43B0D7E5;
  const auto hashed = [&](uint32_t value) {
    value ^= constant;
    constant *= 0x931E8875;
    value *= constant;
    return value ^ value >> 16;
  };
  std::array<uint32_t, 4> pool = {hashed(static_cast<uint32_t>(seed)),
                                  hashed(static_cast<uint32_t>(seed >> 32)), 0, 0};
  pool[2] = hashed(0);
  pool[3] = hashed(0);
  for (size_t from = 0; from < pool.size(); ++from)
    for (size_t to = 0; to < pool.size(); ++to) {
      if (from == to) continue;
      const uint32_t mixed = 0xCA01F9DD * pool[to] - 0x4973F715 * hashed(pool[from]);
      pool[to] = mixed ^ mixed >> 16;
    }
  std::array<uint32_t, 8> words{};
  constant = 0x8B51F9DD;
  for (size_t i = 0; i < words.size(); ++i) {
    uint32_t value = pool[i % pool.size()] ^ constant;
    constant *= 0x58F38DED;
    value *= constant;
    words[i] = value ^ value >> 16;
  }
  return words;
}

}  // namespace

NumpyDraws::NumpyDraws(uint64_t seed) {
  const auto words = seed_words(seed);
  const auto joined = [&](size_t i) { return static_cast<uint64_t>(words[i + 1]) << 32 | words[i]; };
  const uint128 initial = static_cast<uint128>(joined(0)) << 64 | joined(2);
  increment_ = (static_cast<uint128>(joined(4)) << 64 | joined(6)) << 1 | 1;
  next64();  // from a state of 0
  state_ += initial;
  next64();
}

uint64_t NumpyDraws::next64() {
  constexpr uint128 multiplier = static_cast<uint128>(2549297995355413924U) << 64 | 4865540595714422341U;
  state_ = state_ * multiplier + increment_;
  const uint64_t folded = static_cast<uint64_t>(state_ >> 64) ^ static_cast<uint64_t>(state_);
  const auto turn = static_cast<unsigned>(state_ >> 122);
  return folded >> turn | folded << (-turn & 63U);
}

uint32_t NumpyDraws::next32() {
  half_left_ = !half_left_;
  if (!half_left_) return half_;
  const uint64_t both = next64();
  half_ = static_cast<uint32_t>(both >> 32);
  return static_cast<uint32_t>(both);
}

uint32_t NumpyDraws::below(uint32_t n) {
  if (n <= 1) return 0;  // draws nothing
  uint64_t product = static_cast<uint64_t>(next32()) * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t uneven = (0U - n) % n;
    while (static_cast<uint32_t>(product) < uneven) product = static_cast<uint64_t>(next32()) * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

}  // namespace smoothlab::eval
