#include "eval/ngram_match.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

using Symbols = std::vector<uint32_t>;

std::map<Symbols, int32_t> counts_of(const Symbols& symbols, size_t n) {
  std::map<Symbols, int32_t> counts;
  for (size_t i = 0; i + n <= symbols.size(); ++i)
    ++counts[Symbols(symbols.begin() + static_cast<int64_t>(i),
                     symbols.begin() + static_cast<int64_t>(i + n))];
  return counts;
}

/// Σ min(count, greatest count in a reference), from the definition.
int32_t slow_matches(const Symbols& hypothesis, const std::vector<Symbols>& references, size_t n) {
  int32_t matches = 0;
  for (const auto& [ngram, count] : counts_of(hypothesis, n)) {
    int32_t most = 0;
    for (const auto& reference : references) {
      const auto there = counts_of(reference, n);
      const auto found = there.find(ngram);
      if (found != there.end()) most = std::max(most, found->second);
    }
    matches += std::min(count, most);
  }
  return matches;
}

Symbols drawn(uint64_t sample, uint32_t length, uint32_t kinds) {
  const AddressedRandom random(3, Purpose::generated_data, 0, sample);
  Symbols symbols;
  for (uint32_t i = 0; i < length; ++i) symbols.push_back(static_cast<uint32_t>(random.below(kinds, i)));
  return symbols;
}

TEST(NgramMatchTest, AgreesWithTheDefinition) {
  constexpr size_t order = 5;
  NgramMatch match(order);
  for (uint64_t i = 0; i < 300; ++i) {
    const auto length = static_cast<uint32_t>(i % 40), kinds = static_cast<uint32_t>(1 + i % 7);
    std::vector<Symbols> references;
    size_t symbols = 0;
    for (uint64_t r = 0; r <= i % 3; ++r) {
      references.push_back(drawn(10 * i + r, (length + static_cast<uint32_t>(7 * r)) % 45, kinds));
      symbols += references.back().size();
    }
    match.begin(symbols);
    for (const auto& reference : references) match.add_reference(reference);
    for (const uint64_t h : {5, 6}) {
      const Symbols hypothesis = drawn(10 * i + h, length, kinds);
      std::vector<int32_t> matches(order);
      match.match(hypothesis, matches.data());
      for (size_t n = 1; n <= order; ++n)
        EXPECT_EQ(matches[n - 1], slow_matches(hypothesis, references, n)) << i << " " << n;
    }
  }
}

TEST(NgramMatchTest, UnknownWordsMatchNothing) {
  WordNumbers words;
  words.begin(3);
  const Symbols reference = {words.add("a"), words.add("b"), words.add("a")};
  EXPECT_EQ(reference, (Symbols{0, 1, 0}));
  NgramMatch match(2);
  match.begin(3);
  match.add_reference(reference);
  std::vector<int32_t> matches(2);
  match.match({words.find("a"), words.find("x"), words.find("b"), words.find("a")}, matches.data());
  EXPECT_EQ(matches, (std::vector<int32_t>{3, 1}));
  words.begin(1);
  EXPECT_EQ(words.find("a"), WordNumbers::unknown);
}

TEST(NgramMatchTest, WordsOfAllLengthsAreApart) {
  WordNumbers words;
  std::vector<std::string> all;
  for (size_t length = 0; length < 40; ++length)
    for (const char last : {'a', 'b', '\0'}) all.push_back(std::string(length, 'a') + last);
  words.begin(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t first = static_cast<size_t>(std::find(all.begin(), all.end(), all[i]) - all.begin());
    EXPECT_EQ(words.add(all[i]), first);
  }
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(words.find(all[i]), i);
}

}  // namespace
}  // namespace smoothlab::eval
