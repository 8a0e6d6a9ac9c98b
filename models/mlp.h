#pragma once

#include <vector>

#include "models/dropout.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// Fully connected ReLU network over the flattened image (PAPER A.5: two hidden layers of 1200 or 800 units).
/// Parameters: hidden1, hidden2, …, classifier.
class Mlp final : public Network {
 public:
  explicit Mlp(const NetworkOptions& options);
  /// Throws UsageError, with the key, for sizes, probabilities or an initialisation that make no sense.
  static void check(const NetworkOptions& options);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return penultimate_size_; }

 private:
  int64_t classes_, penultimate_size_ = 0;
  std::vector<Linear> hidden_;
  std::vector<Dropout> dropout_;  ///< of the input, then of each hidden layer
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
