#include "cluster/addressed_random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace smoothlab {
namespace {

using testing::ElementsAre;

// Known-answer vectors of philox4x32-10 published with Random123 (kat_vectors).
TEST(AddressedRandom, PhiloxGivesTheKnownAnswers) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  const uint32_t ones = 0xffffffff;
  EXPECT_THAT(philox({ones, ones, ones, ones}, {ones, ones}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(AddressedRandom, EveryPartOfTheAddressMatters) {
  std::set<uint32_t> seen;
  const auto add = [&](uint64_t seed, Purpose purpose, uint64_t epoch, uint64_t sample, uint32_t draw) {
    seen.insert(AddressedRandom(seed, purpose, epoch, sample).bits(draw));
  };
  add(1, Purpose::shuffle, 0, 0, 0);
  add(1 + (uint64_t{1} << 40), Purpose::shuffle, 0, 0, 0);
  add(2, Purpose::shuffle, 0, 0, 0);
  add(1, Purpose::augmentation, 0, 0, 0);
  add(1, Purpose::shuffle, 1, 0, 0);
  add(1, Purpose::shuffle, 0, 1, 0);
  add(1, Purpose::shuffle, 0, uint64_t{1} << 32, 0);
  add(1, Purpose::shuffle, 0, uint64_t{1} << 55, 0);
  add(1, Purpose::shuffle, 0, 0, 1);
  EXPECT_EQ(seen.size(), 9u);
}

TEST(AddressedRandom, HasNoState) {
  const AddressedRandom random(3, Purpose::dropout, 5, 7);
  const uint32_t later = random.bits(1000);
  EXPECT_EQ(random.bits(3), AddressedRandom(3, Purpose::dropout, 5, 7).bits(3));
  EXPECT_EQ(random.bits(1000), later);
}

// Over n draws the mean of a uniform has standard error sqrt(1/12n), of a normal sqrt(1/n); five of them.
TEST(AddressedRandom, MomentsOfUniformAndNormal) {
  const AddressedRandom random(11, Purpose::monte_carlo, 0, 0);
  constexpr int n = 100000;
  double uniform = 0, normal = 0, square = 0;
  for (uint32_t draw = 0; draw < n; ++draw) {
    const double u = random.uniform(draw);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u / n;
    const double z = random.normal(draw);
    normal += z / n;
    square += z * z / n;
  }
  EXPECT_NEAR(uniform, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(square, 1.0, 5 * std::sqrt(2.0 / n));
}

TEST(AddressedRandom, BelowIsEven) {
  const AddressedRandom random(13, Purpose::shuffle, 0, 0);
  constexpr int n = 70000;
  std::vector<int> counts(7);
  for (uint32_t draw = 0; draw < n; ++draw) ++counts.at(random.below(7, draw));
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - n / 7.0) * (count - n / 7.0) / (n / 7.0);
  EXPECT_LT(chi_square, 22.46);  // 0.999 quantile with 6 degrees of freedom
  EXPECT_EQ(random.below(1, 5), 0u);
}

TEST(AddressedRandom, SixteenBlocksAreThoseOneByOne) {
  const AddressedRandom random(0x123456789ABCDEFu, Purpose::dropout, 77, (uint64_t{5} << 40) + 3);
  for (const uint32_t first : {0u, 1u, 0x80000000u, 0xFFFFFFF8u}) {
    uint32_t words[64];
    random.sixteen_blocks(first, words);
    for (uint32_t i = 0; i < 16; ++i) {
      const auto block = random.block(first + i);
      for (uint32_t w = 0; w < 4; ++w)
        EXPECT_EQ(words[16 * w + i], block[w]) << first << ' ' << i << ' ' << w;
    }
  }
}

}  // namespace
}  // namespace smoothlab
