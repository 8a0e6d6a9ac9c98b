#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// Sentence pairs in memory.
class SmallPairs final : public SentencePairs {
 public:
  using Sentence = std::vector<int32_t>;
  SmallPairs(std::vector<std::pair<Sentence, Sentence>> pairs, int64_t vocabulary,
             const SpecialTokens& special = {})
      : pairs_(std::move(pairs)) {
    vocabulary_.size = vocabulary;
    vocabulary_.special = special;
    vocabulary_.digest = "small";
  }

  int64_t size() const override { return static_cast<int64_t>(pairs_.size()); }
  Tokens source(int64_t pair) const override { return tokens(pairs_[static_cast<size_t>(pair)].first); }
  Tokens target(int64_t pair) const override { return tokens(pairs_[static_cast<size_t>(pair)].second); }
  const Vocabulary& source_vocabulary() const override { return vocabulary_; }
  const Vocabulary& target_vocabulary() const override { return vocabulary_; }
  std::string fingerprint() const override {
    uint64_t hash = 0;
    for (const auto& [source, target] : pairs_)
      for (const auto* side : {&source, &target}) {
        hash = hash * 31 + side->size();
        for (const int32_t token : *side) hash = hash * 31 + static_cast<uint64_t>(token);
      }
    return "small-" + std::to_string(hash);
  }

 private:
  static Tokens tokens(const Sentence& sentence) {
    return {sentence.data(), static_cast<int64_t>(sentence.size())};
  }

  std::vector<std::pair<Sentence, Sentence>> pairs_;
  Vocabulary vocabulary_;
};

}  // namespace smoothlab::data
