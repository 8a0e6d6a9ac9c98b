#include "data/small_lexicon.h"

#include <utility>

namespace smoothlab::data {
namespace {

using Words = std::vector<std::string>;

const Words nouns = {"man",    "woman", "child", "dog",   "house", "horse",  "book",   "king",   "teacher",
                     "boat",   "tree",  "bread", "cat",   "door",  "river",  "letter", "farmer", "apple",
                     "sailor", "stone", "bird",  "field", "hat",   "goat",   "lamp",   "baker",  "road",
                     "bell",   "chair", "fox",   "coat",  "wheel", "miller", "rope",   "cart",   "key"};
const Words verbs = {"sees",    "has",    "takes",  "finds",   "likes",  "knows",  "wants",
                     "carries", "sells",  "holds",  "follows", "hides",  "counts", "paints",
                     "breaks",  "washes", "guards", "lifts",   "steals", "mends"};
const Words adjectives = {"old",   "small", "new",  "good",  "big",   "red",   "white",
                          "quiet", "dark",  "cold", "round", "heavy", "green", "poor"};
const Words determiners = {"the", "a", "this", "every"};
const Words ordinals = {"first", "second", "third", "last"};
const Words adverbs = {"today", "often", "never", "again", "gladly", "alone"};
const Words particles = {"wa", "to", "ke", "yo"};

/// The k-th of 360 different stems of three letters.
std::string stem(int k) {
  const int n = k * 37 % 360;
  return {"ptkbdgmnslrv"[n % 12], "aeiou"[n / 12 % 5], "nlrsmk"[n / 60]};
}

/// How lemma k's meaning is shared out among its synonyms.
std::vector<double> shares(int lemma) {
  switch (lemma % 4) {
    case 1:
      return {0.7, 0.3};
    case 2:
      return {0.55, 0.3, 0.15};
    case 3:
      return {0.6, 0.4};
    default:
      return {1};
  }
}

Words forms(WordKind kind, const std::string& stem) {
  switch (kind) {
    case WordKind::verb:
      return {stem + "at", stem + "ot", stem + "it"};
    case WordKind::adjective:
    case WordKind::determiner:
      return {stem + "a", stem + "o", stem + "i"};
    default:
      return {stem, stem, stem};
  }
}

}  // namespace

const SmallLexicon& SmallLexicon::instance() {
  static const SmallLexicon lexicon;
  return lexicon;
}

SmallLexicon::SmallLexicon() : genders_(WordList::first_word, 0), harmonic_{0} {
  Words source, target;
  int stems = 0;
  const auto add = [&](const std::string& word, int gender) {
    if (target.empty() || target.back() != word) {
      target.push_back(word);
      genders_.push_back(gender);
    }
    return static_cast<int32_t>(WordList::first_word + target.size() - 1);
  };
  const auto add_kind = [&](WordKind kind, const Words& words) {
    const bool varied = kind == WordKind::noun || kind == WordKind::verb || kind == WordKind::adjective;
    for (const std::string& word : words) {
      Lemma lemma;
      const int number = count(kind);
      if (kind != WordKind::particle) {
        source.push_back(word);
        lemma.source = static_cast<int32_t>(WordList::first_word + source.size() - 1);
      }
      const bool silent = kind == WordKind::determiner && number < this_one;
      const std::vector<double> each = varied ? shares(number) : std::vector<double>(silent ? 0 : 1, 1);
      for (const double share : each) {
        const Words form = forms(kind, kind == WordKind::particle ? word : stem(stems));
        // Without a pattern that would tell a noun's gender from its form.
        const int gender = (stems * stems + stems / 5) % genders;
        for (int g = 0; g < genders; ++g)
          lemma.forms[g].push_back({add(form[static_cast<size_t>(g)], gender), share});
        ++stems;
      }
      lemmas_[static_cast<size_t>(kind)].push_back(std::move(lemma));
    }
  };
  add_kind(WordKind::noun, nouns);
  add_kind(WordKind::verb, verbs);
  add_kind(WordKind::adjective, adjectives);
  add_kind(WordKind::determiner, determiners);
  add_kind(WordKind::ordinal, ordinals);
  add_kind(WordKind::adverb, adverbs);
  // Part of the grammar: one in the source too, which has no other particle.
  source.emplace_back("who");
  add_kind(WordKind::particle, particles);
  lemmas_[static_cast<size_t>(WordKind::particle)][who].source =
      static_cast<int32_t>(WordList::first_word + source.size() - 1);
  for (size_t rank = 1; rank <= nouns.size(); ++rank)
    harmonic_.push_back(harmonic_.back() + 1 / static_cast<double>(rank));
  source_ = std::make_unique<const WordList>("the small source language", std::move(source));
  target_ = std::make_unique<const WordList>("the small target language", std::move(target));
}

double SmallLexicon::frequency(WordKind kind, int lemma) const {
  return 1 / ((lemma + 1) * harmonic_[lemmas(kind).size()]);
}

int32_t SmallLexicon::source_word(WordKind kind, int lemma) const {
  return lemmas(kind)[static_cast<size_t>(lemma)].source;
}

const std::vector<WordChance>& SmallLexicon::synonyms(WordKind kind, int lemma, int gender) const {
  return lemmas(kind)[static_cast<size_t>(lemma)].forms[gender];
}

}  // namespace smoothlab::data
