#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/dropout.h"
#include "models/inception_block.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// Inception-v4 (Szegedy et al. 2016, fig. 9) as in TF-slim's nets/inception_v4.py, with scales in its batch
/// normalisation (PAPER A.4). Made for 299×299 inputs; others from 75×75 will do. Penultimate: 1536, averaged
/// over pixels. 42,679,816 parameters with 1000 classes.
///
/// Parameters: stem.conv1 to conv3 with norm1 to norm3; blocks by slim's names, mixed_3a, 4a, 5a, 5b … 5e
/// (Inception-A), 6a (reduction), 6b … 6h (Inception-B), 7a (reduction), 7b … 7d (Inception-C), as
/// InceptionBlock names theirs; classifier.
///
/// NetworkOptions::dropout: probability of dropping a penultimate unit while training; slim has 0.2.
/// NetworkOptions::auxiliary_head: slim's second classifier on mixed_6h, from 107×107 on: its logits while
/// training are Rows::auxiliary_logits, with a weight of 0.4. Parameters: auxiliary.conv1, norm1, conv2,
/// norm2, classifier.
///
/// Initial values as there: see inception_conv(); classifiers uniform with variance 2/(in + out), biases 0.
class InceptionV4 final : public Network {
 public:
  /// Throws UsageError for images that are too small.
  explicit InceptionV4(const NetworkOptions& options);
  /// Throws UsageError, with the key, for a dropout that is no probability.
  static void check(const NetworkOptions& options);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 1536; }

 private:
  struct AuxiliaryHead {
    std::vector<ConvNorm> convs;
    Linear classifier;
    at::Tensor operator()(const at::Tensor& input, bool training) const;
  };
  static AuxiliaryHead auxiliary_head(ParameterRegistry& registry, const NetworkOptions& options, int64_t in);

  int64_t classes_;
  std::vector<ConvNorm> stem_;
  std::vector<InceptionBlock> blocks_;
  size_t auxiliary_place_ = 0;  ///< index of the block that the head reads
  std::optional<AuxiliaryHead> auxiliary_;
  Dropout dropout_;
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
