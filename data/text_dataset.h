#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace smoothlab::data {

/// A split of sentence pairs, whose samples yield a row for each token that is to be predicted: those of the
/// target, and the end token. Nothing is augmented.
class TextDataset final : public Dataset {
 public:
  using Names = std::function<std::vector<std::string>()>;

  /// source, target: what errors call the vocabularies, such as their paths. names: gives class_names() when
  /// they are asked for. Throws DataError where a vocabulary has no begin or no end token.
  explicit TextDataset(std::shared_ptr<const SentencePairs> pairs, const std::string& source = "source",
                       const std::string& target = "target", Names names = {});

  int64_t size() const override { return pairs_->size(); }
  int64_t classes() const override { return pairs_->target_vocabulary().size; }
  /// What the tokens of the target are called; empty where nobody knows.
  std::vector<std::string> class_names() const override {
    return names_ ? names_() : std::vector<std::string>();
  }
  std::string fingerprint() const override { return pairs_->fingerprint(); }
  int64_t rows(int64_t sample) const override { return pairs_->target(sample).count + 1; }
  int64_t tokens(int64_t sample) const override;
  /// Counted at the first call.
  at::Tensor class_counts() const override;
  std::vector<int64_t> input_shape() const override { return {}; }
  const TextVocabularies* vocabularies() const override { return &vocabularies_; }
  /// Throws UsageError for a sample outside the split.
  Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const override;

 private:
  std::shared_ptr<const SentencePairs> pairs_;
  TextVocabularies vocabularies_;
  Names names_;
  mutable std::once_flag counted_;
  mutable at::Tensor counts_;
};

}  // namespace smoothlab::data
