#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/conv_norm.h"
#include "models/linear.h"
#include "models/network.h"

namespace smoothlab::models {

/// ResNet-50 for ImageNet (He et al. 2016, table 1) in the form that PyTorch's users call version 1.5, with
/// the stride of a bottleneck in its 3×3 convolution: a 7×7 stem of 64 filters at stride 2, maxima over 3×3
/// at stride 2, four groups of 3, 4, 6 and 3 bottlenecks that put out 256, 512, 1024 and 2048 channels, the
/// mean over pixels. Made for 224×224 inputs; others will do. Penultimate: 2048. 25,557,032 parameters with
/// 1000 classes.
///
/// Parameters: stem.conv1, norm1; groupG.blockB.convN with normN, N to 3; shortcut.conv and shortcut.norm in
/// the first block of a group; classifier. As in torchvision kernels start from N(0, 2/fan_out), and the
/// classifier's weight uniform on ±1/√2048; its bias from 0.
class ResnetImagenet final : public Network {
 public:
  explicit ResnetImagenet(const NetworkOptions& options);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  Classifier classifier() const override { return classifier_->templates(); }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 2048; }

 private:
  struct Projection {
    Conv2d conv;
    BatchNorm norm;
  };
  struct Block {
    ConvNorm reduce, middle;
    Conv2d expand;
    BatchNorm norm;
    std::optional<Projection> projection;
  };

  int64_t classes_;
  std::unique_ptr<ConvNorm> stem_;
  std::vector<Block> blocks_;
  std::unique_ptr<ClassifierLayer> classifier_;
};

}  // namespace smoothlab::models
