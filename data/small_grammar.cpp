#include "data/small_grammar.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

const SmallLexicon& lexicon() {
  return SmallLexicon::instance();
}

/// Draws are numbered in the order of the source, so that a sentence is a function of its address.
class Drawing {
 public:
  explicit Drawing(const AddressedRandom& random) : random_(random) {}

  SmallSentence sentence() {
    const bool adverb = chance(0.45);
    const int which = adverb ? lemma(WordKind::adverb) : 0;
    int front = -1;
    if (adverb) front = slot({WordKind::adverb, which, -1, 0.35, -1});
    const int subject = phrase(0.35);
    slot({WordKind::particle, topic, -1, 0.5, -1});
    const int verb = lemma(WordKind::verb);
    say(WordKind::verb, verb);
    phrase(0.15);
    slot({WordKind::particle, object, -1, 0.7, -1});
    if (adverb) {
      say(WordKind::adverb, which);
      slot({WordKind::adverb, which, -1, 1, front});
    }
    slot({WordKind::verb, verb, subject, 1, -1});
    slot({WordKind::particle, indeed, -1, 0.25, -1});
    return std::move(result_);
  }

 private:
  bool chance(double probability) { return random_.uniform(draw_++) < probability; }
  int lemma(WordKind kind) {
    double left = random_.uniform(draw_++);
    const int last = lexicon().count(kind) - 1;
    int at = 0;
    for (; at < last; ++at) {
      left -= lexicon().frequency(kind, at);
      if (left < 0) break;
    }
    return at;
  }
  void say(WordKind kind, int lemma) { result_.source.push_back(lexicon().source_word(kind, lemma)); }
  int slot(const TargetSlot& slot) {
    result_.slots.push_back(slot);
    return static_cast<int>(result_.slots.size()) - 1;
  }

  /// A noun and what belongs to it; the noun's slot.
  int phrase(double relative_clause) {
    std::vector<TargetSlot> after;
    const auto describe = [&](WordKind kind) {
      const int which = lemma(kind);
      say(kind, which);
      // The, and a, have no translation.
      if (!lexicon().synonyms(kind, which, 0).empty()) after.push_back({kind, which, 0, 1, -1});
    };
    describe(WordKind::determiner);
    if (chance(0.15)) describe(WordKind::ordinal);
    for (const double probability : {0.4, 0.15})
      if (chance(probability)) describe(WordKind::adjective);
    const int which = lemma(WordKind::noun);
    say(WordKind::noun, which);
    const int noun = slot({WordKind::noun, which, -1, 1, -1});
    for (auto one = after.rbegin(); one != after.rend(); ++one) {
      one->agrees_with = noun;
      slot(*one);
    }
    if (chance(relative_clause)) {
      say(WordKind::particle, who);
      slot({WordKind::particle, who, -1, 1, -1});
      const int verb = lemma(WordKind::verb);
      say(WordKind::verb, verb);
      phrase(0);
      slot({WordKind::verb, verb, noun, 1, -1});
    }
    return noun;
  }

  const AddressedRandom& random_;
  uint32_t draw_ = 0;
  SmallSentence result_;
};

/// −p·ln p.
double surprise(double p) {
  return p > 0 ? -p * std::log(p) : 0;
}

}  // namespace

SmallSentence draw_sentence(const AddressedRandom& random) {
  return Drawing(random).sentence();
}

double target_entropy(const SmallSentence& sentence) {
  double sum = 0;
  for (const TargetSlot& slot : sentence.slots) {
    double filled = slot.presence;
    // Whether the slot is empty is known by then.
    if (slot.instead_of >= 0) filled *= 1 - sentence.slots[static_cast<size_t>(slot.instead_of)].presence;
    if (slot.presence < 1) sum += surprise(slot.presence) + surprise(1 - slot.presence);
    for (const auto& synonym : lexicon().synonyms(slot.kind, slot.lemma, 0))
      sum += filled * surprise(synonym.probability);
  }
  return sum;
}

TargetWriter::TargetWriter(const SmallSentence& sentence)
    : sentence_(&sentence), words_(sentence.slots.size(), -1) {}

bool TargetWriter::open(size_t slot) const {
  const int other = sentence_->slots[slot].instead_of;
  return other < 0 || words_[static_cast<size_t>(other)] < 0;
}

const std::vector<WordChance>& TargetWriter::synonyms(size_t slot) const {
  const TargetSlot& at = sentence_->slots[slot];
  const int gender = at.agrees_with < 0 ? 0 : lexicon().gender(words_[static_cast<size_t>(at.agrees_with)]);
  return lexicon().synonyms(at.kind, at.lemma, gender);
}

std::vector<WordChance> TargetWriter::next() const {
  std::vector<WordChance> result;
  double left = 1;
  for (size_t i = position_; i < words_.size(); ++i) {
    if (!open(i)) continue;
    const double presence = sentence_->slots[i].presence;
    for (const auto& [word, probability] : synonyms(i))
      result.push_back({word, left * presence * probability});
    if (presence >= 1) return result;
    left *= 1 - presence;
  }
  result.push_back({lexicon().target_words().vocabulary().special.end, left});
  return result;
}

void TargetWriter::take(int32_t word) {
  for (size_t i = position_; i < words_.size(); ++i) {
    if (!open(i)) continue;
    const auto& can = synonyms(i);
    if (std::any_of(can.begin(), can.end(), [&](const auto& one) { return one.word == word; })) {
      words_[i] = word;
      position_ = i + 1;
      return;
    }
    if (sentence_->slots[i].presence >= 1)
      throw UsageError("word " + std::to_string(word) + " cannot follow", "the small target language",
                       "take one of those that can");
  }
  if (ended_ || word != lexicon().target_words().vocabulary().special.end)
    throw UsageError("word " + std::to_string(word) + " cannot follow", "the small target language",
                     "take one of those that can");
  position_ = words_.size();
  ended_ = true;
}

}  // namespace smoothlab::data
