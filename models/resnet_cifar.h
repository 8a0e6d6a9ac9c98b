#pragma once

#include <vector>

#include "models/batch_norm.h"
#include "models/conv2d.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// The residual network of He et al. 2016 (sec. 4.2) for small images, depth 6n+2: a 3×3 stem of 16 filters,
/// three groups of n basic blocks with 16, 32, 64 filters, the second and third beginning with stride 2;
/// shortcuts without parameters (option A: every second pixel, zeros for the new channels), global average
/// pool, classifier. Penultimate: 64. 0.86 M parameters at depth 56 (853,018 for 10 classes).
class ResnetCifar final : public Network {
 public:
  ResnetCifar(const NetworkOptions& options, int64_t depth);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 64; }

 private:
  struct Block {
    Conv2d conv1;
    BatchNorm norm1;
    Conv2d conv2;
    BatchNorm norm2;
    bool shrinks;
  };

  int64_t classes_;
  std::unique_ptr<Conv2d> stem_;
  std::unique_ptr<BatchNorm> stem_norm_;
  std::vector<Block> blocks_;
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
