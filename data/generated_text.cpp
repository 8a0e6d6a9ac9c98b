#include "data/generated_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "data/digest.h"

namespace smoothlab::data {
namespace {

const WordList& source_words() {
  return SmallLexicon::instance().source_words();
}
const WordList& target_words() {
  return SmallLexicon::instance().target_words();
}

/// A draw each token, behind those of the source.
std::vector<int32_t> draw_target(const SmallSentence& sentence, const AddressedRandom& random) {
  std::vector<int32_t> words;
  TargetWriter writer(sentence);
  for (uint32_t draw = most_source_draws;; ++draw) {
    const auto next = writer.next();
    double left = random.uniform(draw);
    size_t chosen = 0;
    while (chosen + 1 < next.size() && (left -= next[chosen].probability) >= 0) ++chosen;
    writer.take(next[chosen].word);
    if (writer.ended()) return words;
    words.push_back(next[chosen].word);
  }
}

Tokens tokens(const std::vector<int32_t>& words) {
  return {words.data(), static_cast<int64_t>(words.size())};
}

}  // namespace

GeneratedTextOptions generated_text_options(const TaskOptions& task, const std::string& split) {
  const int64_t kept = task.train_samples - task.validation;
  if (split == "train") return {0, kept, task.data_seed, 0};
  if (split == "validation") return {kept, task.validation, task.data_seed, 0};
  if (split == "test") return {0, task.test_samples, task.data_seed, 1};
  throw UsageError("unknown split '" + split + "'", "split",
                   suggest_name(split, {"train", "validation", "test"}));
}

GeneratedText::GeneratedText(const GeneratedTextOptions& options) {
  if (options.first < 0 || options.pairs < 1)
    throw UsageError(fmt::format("generated text cannot have {} pairs", options.pairs), "samples",
                     "choose at least 1");
  for (int64_t i = options.first; i < options.first + options.pairs; ++i) {
    const AddressedRandom random(options.seed, Purpose::generated_data, options.split,
                                 static_cast<uint64_t>(i));
    sentences_.push_back(draw_sentence(random));
    targets_.push_back(draw_target(sentences_.back(), random));
  }
}

Tokens GeneratedText::source(int64_t pair) const {
  return tokens(sentences_[static_cast<size_t>(pair)].source);
}

Tokens GeneratedText::target(int64_t pair) const {
  return tokens(targets_[static_cast<size_t>(pair)]);
}

const Vocabulary& GeneratedText::source_vocabulary() const {
  return source_words().vocabulary();
}

const Vocabulary& GeneratedText::target_vocabulary() const {
  return target_words().vocabulary();
}

std::string GeneratedText::fingerprint() const {
  Digest digest("sha256", "generated text");
  for (const auto* vocabulary : {&source_vocabulary(), &target_vocabulary()})
    digest.add(vocabulary->digest.data(), vocabulary->digest.size());
  const auto add = [&digest](const Tokens& side) {
    digest.add(&side.count, sizeof side.count);
    digest.add(side.first, static_cast<size_t>(side.count) * sizeof *side.first);
  };
  for (int64_t pair = 0; pair < size(); ++pair) {
    add(source(pair));
    add(target(pair));
  }
  return digest.hexadecimal();
}

std::vector<WordChance> GeneratedText::next_words(int64_t pair, int64_t position) const {
  TargetWriter writer(sentences_[static_cast<size_t>(pair)]);
  for (int64_t i = 0; i < position; ++i) writer.take(target(pair).first[i]);
  return writer.next();
}

double GeneratedText::entropy(int64_t pair) const {
  return target_entropy(sentences_[static_cast<size_t>(pair)]);
}

TextLimits GeneratedText::limits() const {
  TextLimits limits;
  for (int64_t pair = 0; pair < size(); ++pair) {
    limits.entropy += entropy(pair);
    auto words = targets_[static_cast<size_t>(pair)];
    words.push_back(target_vocabulary().special.end);
    TargetWriter writer(sentences_[static_cast<size_t>(pair)]);
    for (const int32_t word : words) {
      const auto next = writer.next();
      const auto came =
          std::find_if(next.begin(), next.end(), [&](const auto& one) { return one.word == word; });
      const auto best = std::max_element(next.begin(), next.end(), [](const auto& a, const auto& b) {
        return a.probability < b.probability;
      });
      limits.nll -= std::log(came->probability);
      limits.accuracy += came == best ? 1 : 0;
      ++limits.rows;
      writer.take(word);
    }
  }
  for (double* sum : {&limits.entropy, &limits.nll, &limits.accuracy})
    *sum /= static_cast<double>(limits.rows);
  return limits;
}

std::string GeneratedText::source_text() const {
  std::string text;
  for (int64_t pair = 0; pair < size(); ++pair) text += source_words().decode(source(pair)) + "\n";
  return text;
}

std::string GeneratedText::target_text() const {
  std::string text;
  for (int64_t pair = 0; pair < size(); ++pair) text += target_words().decode(target(pair)) + "\n";
  return text;
}

}  // namespace smoothlab::data
