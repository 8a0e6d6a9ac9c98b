#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sentence_pairs.h"
#include "data/small_grammar.h"
#include "data/task.h"

namespace smoothlab::data {

struct GeneratedTextOptions {
  int64_t first = 0;  ///< of the split's pairs
  int64_t pairs = 2500;
  uint64_t seed = 1;
  uint32_t split = 0;  ///< pairs of different splits share no randomness: 0 train, 1 test
};

/// Those of a split of a task: "train", "validation", the last of the training pairs, or "test". Throws
/// UsageError for another name.
GeneratedTextOptions generated_text_options(const TaskOptions& task, const std::string& split);

/// What the best possible predictor of next tokens reaches on rows of a split, end tokens counted: one that
/// knows the probabilities that the split was drawn from. It is calibrated.
struct TextLimits {
  int64_t rows = 0;
  double entropy = 0;   ///< expected NLL, the split's sources given: nats a row
  double nll = 0;       ///< on the translations that were drawn: nats a row
  double accuracy = 0;  ///< the same: share of rows whose most probable token came
};

/// The embedded translation task: sentences of a small language and their translations into another, drawn
/// from addressed randomness, that need no files. A translation is not determined by its source: synonyms
/// and optional particles are drawn, with probabilities that no network can improve on, and the gender of the
/// synonym that was drawn decides forms far behind it. A network that trains long enough on few pairs with
/// hard targets learns the draws by heart and becomes over-confident.
class GeneratedText final : public SentencePairs {
 public:
  /// Throws UsageError for numbers out of range.
  explicit GeneratedText(const GeneratedTextOptions& options);

  int64_t size() const override { return static_cast<int64_t>(sentences_.size()); }
  Tokens source(int64_t pair) const override;
  Tokens target(int64_t pair) const override;
  const Vocabulary& source_vocabulary() const override;
  const Vocabulary& target_vocabulary() const override;
  std::string fingerprint() const override;

  /// What may stand at a position of the target, the source and the words before it given: position from 0
  /// to target().count, where the end token came.
  std::vector<WordChance> next_words(int64_t pair, int64_t position) const;
  /// Entropy of the translation given its source: exact, in nats.
  double entropy(int64_t pair) const;
  TextLimits limits() const;
  /// The sentences as text, one a line.
  std::string source_text() const;
  std::string target_text() const;

 private:
  std::vector<SmallSentence> sentences_;
  std::vector<std::vector<int32_t>> targets_;
};

}  // namespace smoothlab::data
