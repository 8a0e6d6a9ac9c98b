#pragma once

#include <string>
#include <vector>

#include "models/conv_norm.h"

namespace smoothlab::models {

/// A convolution as TF-slim's Inception networks have them: with normalisation and ReLU, of TensorFlow's SAME
/// or VALID padding (SAME: stride 1 and odd kernels only).
struct InceptionConv {
  enum class Padding { same, valid };
  int64_t out = 0;
  Extent kernel = 1;
  int64_t stride = 1;
  Padding padding = Padding::same;
};

/// With what slim's inception_arg_scope says: kernels truncated normal of deviation √(1.3 · 2/fan_in) before
/// truncation (variance_scaling_initializer), normalisation with ε 0.001 and decay 0.9997.
ConvNorm inception_conv(ParameterRegistry& registry, const std::string& block, size_t number, int64_t in,
                        const InceptionConv& shape);

/// One way through a block: what is pooled, then convolutions one after the other.
struct InceptionBranch {
  /// average: 3×3 at stride 1, SAME, of the pixels that are there; maximum: 3×3 at stride 2, VALID.
  enum class Pool { none, average, maximum };
  Pool pool = Pool::none;
  std::vector<InceptionConv> convs;
  bool fork = false;  ///< the last two convolutions take the same input, and both are put out
};

/// Branches of the same input, whose channels are put side by side: [B, in, H, W] to [B, channels(), H', W'].
/// Parameters: BLOCK.branchI.convN and normN, I from 0 and N from 1 in slim's order.
class InceptionBlock {
 public:
  InceptionBlock(ParameterRegistry& registry, const std::string& name, int64_t in,
                 const std::vector<InceptionBranch>& branches);

  at::Tensor operator()(const at::Tensor& input, bool training) const;
  int64_t channels() const { return channels_; }

 private:
  struct Branch {
    InceptionBranch::Pool pool;
    std::vector<ConvNorm> convs;
    bool fork;
  };

  std::vector<at::Tensor> first_convolutions(const at::Tensor& input) const;

  std::vector<Branch> branches_;
  int64_t channels_ = 0;
};

}  // namespace smoothlab::models
