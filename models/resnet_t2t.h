#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/batch_norm.h"
#include "models/conv2d.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// tensor2tensor's residual network for CIFAR (its models/resnet.py with "residual" blocks; PAPER A.2), depth
/// 6n+2: a 3×3 stem of 16 filters with normalisation and ReLU, three groups of n pre-activation blocks with
/// 32, 64, 128 filters. The first block of every group projects its shortcut: 1×1 convolution of the
/// activated input, then normalisation; groups two and three begin with stride 2. As there, nothing follows
/// the last addition but the average over pixels. Penultimate: 128. 3,419,284 parameters at depth 56 with 100
/// classes.
///
/// Initial values as there: kernels truncated normal of variance 1/fan_in; classifier the same of
/// variance 4/(in + out) (unit scaling with gain 2). Normalisation decay 0.9, ε 1e-5.
class ResnetT2t final : public Network {
 public:
  ResnetT2t(const NetworkOptions& options, int64_t depth);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 128; }

 private:
  struct Projection {
    Conv2d conv;
    BatchNorm norm;
  };
  struct Block {
    BatchNorm norm1;
    std::optional<Projection> projection;
    Conv2d conv1;
    BatchNorm norm2;
    Conv2d conv2;
  };

  int64_t classes_;
  std::unique_ptr<Conv2d> stem_;
  std::unique_ptr<BatchNorm> stem_norm_;
  std::vector<Block> blocks_;
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
