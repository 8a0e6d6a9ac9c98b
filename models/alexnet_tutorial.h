#pragma once

#include <memory>
#include <vector>

#include "models/conv2d.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// The network of TensorFlow's cifar10.py tutorial, which PAPER A.1 calls AlexNet: 5×5 convolution of 64,
/// max-pool, local response normalisation, 5×5 convolution of 64, normalisation, max-pool, dense 384, dense
/// 192, classifier; initial values as there. Made for 24×24 inputs (1,068,298 parameters with 10 classes);
/// others change dense1. Parameters: conv1, conv2, dense1, dense2 (the tutorial decays the weights of these
/// two), classifier. Penultimate: 192.
class AlexnetTutorial final : public Network {
 public:
  explicit AlexnetTutorial(const NetworkOptions& options);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 192; }

 private:
  int64_t classes_;
  std::unique_ptr<Conv2d> conv1_, conv2_;
  std::unique_ptr<Linear> dense1_, dense2_;
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
