#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/linear.h"
#include "models/packed_attention.h"
#include "models/residual_norm.h"
#include "models/translation_network.h"

namespace smoothlab::models {

/// Sizes of "transformer_tiny", "_small" (tensor2tensor's), "_base" and "_big" (Vaswani et al. 2017, table
/// 3).
struct TransformerSize {
  int64_t layers, width, feed_forward, heads;
};
/// Of a name; empty where it is none of these.
std::optional<TransformerSize> transformer_size(const std::string& name);

/// A product without bias: parameter `name` [out, in].
class Projection {
 public:
  Projection(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out, double bound);
  at::Tensor operator()(const at::Tensor& input) const;
  const at::Tensor& weight() const { return weight_->value; }

 private:
  const Parameter* weight_;
};

/// The layers of one stack. Attention projections have no bias, as in tensor2tensor; q, k and v are one
/// matrix each way.
struct TransformerLayer {
  TransformerLayer(ParameterRegistry& registry, const std::string& name, const TransformerSize& size,
                   bool decoder);

  ResidualNorm self_norm;
  Projection self_in, self_out;  ///< [3·width, width], [width, width]
  std::unique_ptr<ResidualNorm> cross_norm;
  std::unique_ptr<Projection> cross_query, cross_memory, cross_out;  ///< memory: k and v, [2·width, width]
  ResidualNorm feed_forward_norm;
  Linear hidden, output;
};

/// The Transformer (Vaswani et al. 2017), in two forms (PAPER A.3). "paper-2017": each sub-layer's sum is
/// normalised. "t2t": each sub-layer's input is, and the end of a stack, as tensor2tensor does today. Where
/// the vocabulary is joint, source and target share one embedding; the target's embedding is always the
/// classifier too (sec. 3.4), and is scaled by √width when it embeds. Sinusoidal positions, sines before
/// cosines (position_table). model.dropout: of embeddings and of each sub-layer's output; attention_dropout,
/// relu_dropout: of attention weights and of the hidden layer of feed-forward ones, which the 2017 paper has
/// not.
///
/// In bf16 the residual stream, normalisation, embedding and the classifier's weights stay float32. Features
/// are bf16 where they are all that is asked for (ForwardContext::features_only), and float32, like their
/// product with the classifier, where logits are.
class Transformer final : public TranslationNetwork {
 public:
  explicit Transformer(const NetworkOptions& options);
  /// Throws UsageError, with the key, for sizes, probabilities or a form that make no sense.
  static void check(const NetworkOptions& options);

  Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  std::unique_ptr<Decoding> decode(const SourceSentences& sources) override;
  /// The bias is zero.
  Classifier classifier() const override;
  int64_t classes() const override { return target_embedding_->value.size(0); }
  int64_t penultimate_size() const override { return size_.width; }

  // What decode() is made of.
  const TransformerSize& size() const { return size_; }
  bool pre_norm() const { return pre_norm_; }
  const std::vector<TransformerLayer>& encoder() const { return encoder_; }
  const std::vector<TransformerLayer>& decoder() const { return decoder_; }
  /// After the last layer of a stack; null in post-norm form.
  const ResidualNorm* encoder_norm() const { return encoder_norm_.get(); }
  const ResidualNorm* decoder_norm() const { return decoder_norm_.get(); }
  const at::Tensor& source_embedding() const { return source_embedding_->value; }
  const at::Tensor& target_embedding() const { return target_embedding_->value; }

 private:
  struct Pass;
  at::Tensor embed(const at::Tensor& tokens, const Parameter& embedding, const at::Tensor& positions) const;
  at::Tensor encode(Pass& pass, const at::Tensor& tokens);
  at::Tensor predict(Pass& pass, const at::Tensor& tokens, const at::Tensor& memory);

  TransformerSize size_;
  bool pre_norm_;
  double dropout_, attention_dropout_, relu_dropout_;
  const Parameter *source_embedding_ = nullptr, *target_embedding_ = nullptr;
  std::vector<TransformerLayer> encoder_, decoder_;
  std::unique_ptr<ResidualNorm> encoder_norm_, decoder_norm_;
  std::shared_ptr<const class DecodingWeights> decoding_weights_;
};

/// Sinusoids of positions 0 … count−1, float32 [count, width]: those of Vaswani et al. 2017, sec. 3.5, spaced
/// as tensor2tensor has them, by 10000^(−i / (width/2 − 1)), in both forms.
at::Tensor position_table(int64_t count, int64_t width);

}  // namespace smoothlab::models
