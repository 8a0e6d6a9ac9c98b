#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/sentence_pairs.h"
#include "data/task.h"

namespace smoothlab::data {
class GeneratedText;
}

namespace smoothlab::launcher {

/// A split of a text task: its pairs as tokens, and the plain text that translations of them are held
/// against.
class SplitText {
 public:
  /// Throws UsageError where the task has no text, or none of this split ("validation", "test"); DataError as
  /// open_prepared_corpus does.
  SplitText(const data::TaskOptions& task, const std::string& split);

  const data::SentencePairs& pairs() const { return *pairs_; }
  /// One for each pair. Throws DataError where the file is missing, damaged or has another number of lines.
  std::vector<std::string> references() const;
  /// SHA-256 of the references' bytes.
  std::string digest() const;

 private:
  std::shared_ptr<const data::SentencePairs> pairs_;
  std::shared_ptr<const data::GeneratedText> generated_;  ///< the same pairs, where they are such
  std::string file_;                                      ///< of the references, otherwise
};

}  // namespace smoothlab::launcher
