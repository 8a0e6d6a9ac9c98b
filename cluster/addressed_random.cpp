#include "cluster/addressed_random.h"

#include <cmath>
#include <cstring>

#include "cluster/vector_clones.h"

namespace smoothlab {

__extension__ typedef unsigned __int128 uint128;

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

AddressedRandom::AddressedRandom(uint64_t seed, Purpose purpose, uint64_t epoch, uint64_t sample)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      epoch_(static_cast<uint32_t>(epoch)),
      sample_low_(static_cast<uint32_t>(sample)),
      sample_high_and_purpose_((static_cast<uint32_t>(sample >> 32) & 0xFFFFFFu) |
                               static_cast<uint32_t>(purpose) << 24) {}

std::array<uint32_t, 4> AddressedRandom::block(uint32_t draw) const {
  return philox({draw, sample_low_, sample_high_and_purpose_, epoch_}, key_);
}

namespace {

/// philox() in sixteen lanes; lane i has counter {first + i, rest…}.
SMOOTHLAB_VECTOR_CLONES void philox_lanes(uint32_t first, const std::array<uint32_t, 3>& rest,
                                          std::array<uint32_t, 2> key, uint32_t* words) {
  using Lanes = uint32_t __attribute__((vector_size(64)));
  using Wide = uint64_t __attribute__((vector_size(64)));
  // A product of 32-bit lanes has 64 bits: even and odd lanes are multiplied apart.
  const auto multiply = [](const Lanes& x, uint32_t factor, Lanes& low, Lanes& high) {
    Wide even, odd;
    std::memcpy(&even, &x, sizeof(even));
    odd = (even >> 32) * factor;
    even = (even & 0xFFFFFFFFu) * factor;
    const Wide l = (even & 0xFFFFFFFFu) | (odd << 32), h = (even >> 32) | (odd & 0xFFFFFFFF00000000u);
    std::memcpy(&low, &l, sizeof(l));
    std::memcpy(&high, &h, sizeof(h));
  };
  Lanes c0, c1, c2, c3, a_low, a_high, b_low, b_high;
  for (uint32_t lane = 0; lane < 16; ++lane) {
    c0[lane] = first + lane;
    c1[lane] = rest[0];
    c2[lane] = rest[1];
    c3[lane] = rest[2];
  }
  for (int round = 0; round < 10; ++round) {
    multiply(c0, 0xD2511F53, a_low, a_high);
    multiply(c2, 0xCD9E8D57, b_low, b_high);
    c0 = b_high ^ c1 ^ key[0];
    c2 = a_high ^ c3 ^ key[1];
    c1 = b_low;
    c3 = a_low;
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  std::memcpy(words, &c0, sizeof(c0));
  std::memcpy(words + 16, &c1, sizeof(c1));
  std::memcpy(words + 32, &c2, sizeof(c2));
  std::memcpy(words + 48, &c3, sizeof(c3));
}

}  // namespace

void AddressedRandom::sixteen_blocks(uint32_t first, uint32_t* words) const {
  philox_lanes(first, {sample_low_, sample_high_and_purpose_, epoch_}, key_, words);
}

double AddressedRandom::uniform(uint32_t draw) const {
  const auto words = block(draw);
  const uint64_t bits = (uint64_t{words[0]} << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

uint64_t AddressedRandom::below(uint64_t n, uint32_t draw) const {
  const auto words = block(draw);
  const uint64_t bits = uint64_t{words[0]} << 32 | words[1];
  return static_cast<uint64_t>((uint128{bits} * n) >> 64);
}

double AddressedRandom::normal(uint32_t draw) const {
  const auto words = block(draw);
  const uint64_t first = (uint64_t{words[0]} << 32 | words[1]) >> 11;
  const uint64_t second = (uint64_t{words[2]} << 32 | words[3]) >> 11;
  const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(first) + 1.0) * 0x1.0p-53));
  return radius * std::cos(6.283185307179586 * static_cast<double>(second) * 0x1.0p-53);
}

}  // namespace smoothlab
