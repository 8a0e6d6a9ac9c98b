#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/word_list.h"

namespace smoothlab::data {

/// A word that may come next, and how probable it is.
struct WordChance {
  int32_t word = 0;  ///< id in the target's words; the end token where the sentence is over
  double probability = 0;
};

enum class WordKind { noun, verb, adjective, determiner, ordinal, adverb, particle };

/// Lemmas of WordKind::determiner and WordKind::particle that the grammar knows by name.
enum Determiner : int { the, a, this_one, every };
enum Particle : int { topic, object, who, indeed };

/// Words of the two small languages, always the same. Of each kind, the more frequent stand before the rarer.
/// A lemma is one word of the source and one to three synonyms of the target, with probabilities that depend
/// on nothing; nouns of the target have one of three genders, each synonym its own, which their form does not
/// show. Target words that agree have a form for each gender.
class SmallLexicon {
 public:
  static const SmallLexicon& instance();

  const WordList& source_words() const { return *source_; }
  const WordList& target_words() const { return *target_; }
  /// Lemmas of a kind; those of particles have no source word.
  int count(WordKind kind) const { return static_cast<int>(lemmas(kind).size()); }
  /// 1/rank, scaled to sum to 1 over the kind.
  double frequency(WordKind kind, int lemma) const;
  int32_t source_word(WordKind kind, int lemma) const;
  /// The synonyms in the form for a gender; none for a lemma that is left out (the, a).
  const std::vector<WordChance>& synonyms(WordKind kind, int lemma, int gender) const;
  /// 0, 1 or 2; of a noun of the target.
  int gender(int32_t target_noun) const { return genders_[static_cast<size_t>(target_noun)]; }

  static constexpr int genders = 3;

 private:
  struct Lemma {
    int32_t source = -1;
    std::vector<WordChance> forms[genders];
  };
  SmallLexicon();
  const std::vector<Lemma>& lemmas(WordKind kind) const { return lemmas_[static_cast<size_t>(kind)]; }

  std::vector<Lemma> lemmas_[7];
  std::vector<int> genders_;
  std::vector<double> harmonic_;  ///< sums of 1/rank
  std::unique_ptr<const WordList> source_, target_;
};

}  // namespace smoothlab::data
