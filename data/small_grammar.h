#pragma once

#include <cstdint>
#include <vector>

#include "cluster/addressed_random.h"
#include "data/small_lexicon.h"

namespace smoothlab::data {

/// A place in a target sentence that holds a word of a lemma, or stays empty.
struct TargetSlot {
  WordKind kind = WordKind::noun;
  int lemma = 0;
  int agrees_with = -1;  ///< slot of the noun whose gender it takes; −1: none
  double presence = 1;   ///< probability that it is filled
  int instead_of = -1;   ///< stays empty where that slot is filled; −1: does not look
};

/// A sentence of the source language and everything that is known of its translation.
///
/// Source: subject, verb, object, each noun with determiner, ordinal, adjectives and a relative clause or
/// without, an adverb at the end. Target: subject, object, verb; what belongs to a noun stands after it, and
/// agrees with it in gender as the verb at the end does with the subject; the adverb comes first or before
/// the verb; particles may mark topic and object, and end the sentence.
struct SmallSentence {
  std::vector<int32_t> source;
  std::vector<TargetSlot> slots;
};

/// Draws a sentence; uses draws below `most_source_draws`.
SmallSentence draw_sentence(const AddressedRandom& random);
constexpr uint32_t most_source_draws = 1000;

/// Entropy of the translation given its source: exact, in nats.
double target_entropy(const SmallSentence& sentence);

/// Writes a translation word by word, knowing at each what may come next.
class TargetWriter {
 public:
  /// The sentence stays alive as long as the writer does.
  explicit TargetWriter(const SmallSentence& sentence);
  /// The words that can follow, with their probabilities given source and words before; different, and
  /// summing to 1. The end token is one of them where the sentence may end.
  std::vector<WordChance> next() const;
  /// Goes on with one of next(). Throws UsageError for a word that cannot follow.
  void take(int32_t word);
  bool ended() const { return ended_; }

 private:
  bool open(size_t slot) const;
  const std::vector<WordChance>& synonyms(size_t slot) const;

  const SmallSentence* sentence_;
  size_t position_ = 0;
  std::vector<int32_t> words_;  ///< of each slot; −1 where it is empty
  bool ended_ = false;
};

}  // namespace smoothlab::data
