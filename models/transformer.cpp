#include "models/transformer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"
#include "cluster/side_stream.h"
#include "models/transformer_decoding.h"

namespace smoothlab::models {
namespace {

/// As tensor2tensor's layers start.
constexpr double kEpsilon = 1e-6;

/// Glorot and Bengio 2010.
double glorot(int64_t in, int64_t out) {
  return std::sqrt(6.0 / static_cast<double>(in + out));
}

TransformerSize size_of(const NetworkOptions& options) {
  TransformerSize size = *transformer_size(options.name);
  if (options.layers > 0) size.layers = options.layers;
  if (options.width > 0) size.width = options.width;
  if (options.feed_forward > 0) size.feed_forward = options.feed_forward;
  if (options.heads > 0) size.heads = options.heads;
  return size;
}

void require(bool holds, const char* key, const std::string& what, const std::string& remedy) {
  if (!holds) throw UsageError(what, key, remedy);
}

Offsets offsets_of(const at::Tensor& offsets) {
  const at::Tensor all = offsets.to(at::kCPU, at::kLong).contiguous();
  return {all.data_ptr<int64_t>(), all.data_ptr<int64_t>() + all.numel()};
}

/// Places of dropout in the network: a layer takes four, the embeddings two.
enum Place : uint32_t { in_self = 0, in_cross = 1, in_hidden = 2, of_output = 3, per_layer = 8 };
constexpr uint32_t kDecoderPlaces = 128;

}  // namespace

std::optional<TransformerSize> transformer_size(const std::string& name) {
  if (name == "transformer_tiny") return TransformerSize{2, 128, 512, 4};
  if (name == "transformer_small") return TransformerSize{2, 256, 1024, 4};
  if (name == "transformer_base") return TransformerSize{6, 512, 2048, 8};
  if (name == "transformer_big") return TransformerSize{6, 1024, 4096, 16};
  return std::nullopt;
}

at::Tensor position_table(int64_t count, int64_t width) {
  const at::Tensor table = at::empty({count, width}, at::kFloat);
  const int64_t half = width / 2;
  const double step = std::log(10000.0) / static_cast<double>(std::max<int64_t>(half - 1, 1));
  for (int64_t position = 0; position < count; ++position)
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) * std::exp(-step * static_cast<double>(i));
      float* row = table.data_ptr<float>() + position * width;
      row[i] = static_cast<float>(std::sin(angle));
      row[half + i] = static_cast<float>(std::cos(angle));
    }
  return table;
}

Projection::Projection(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out,
                       double bound)
    : weight_(registry.add_parameter(name, {out, in}, Role::weight, Initialiser::uniform(bound))) {}

at::Tensor Projection::operator()(const at::Tensor& input) const {
  return at::linear(input, weight_->value.to(input.scalar_type()));
}

TransformerLayer::TransformerLayer(ParameterRegistry& registry, const std::string& name,
                                   const TransformerSize& size, bool decoder)
    : self_norm(registry, name + ".self_norm", size.width, kEpsilon),
      self_in(registry, name + ".self_in.weight", size.width, 3 * size.width, glorot(size.width, size.width)),
      self_out(registry, name + ".self_out.weight", size.width, size.width, glorot(size.width, size.width)),
      feed_forward_norm(registry, name + ".feed_forward_norm", size.width, kEpsilon),
      hidden(registry, name + ".hidden", size.width, size.feed_forward,
             Initialiser::uniform(glorot(size.width, size.feed_forward))),
      output(registry, name + ".output", size.feed_forward, size.width,
             Initialiser::uniform(glorot(size.width, size.feed_forward))) {
  if (!decoder) return;
  const double bound = glorot(size.width, size.width);
  cross_norm = std::make_unique<ResidualNorm>(registry, name + ".cross_norm", size.width, kEpsilon);
  cross_query =
      std::make_unique<Projection>(registry, name + ".cross_query.weight", size.width, size.width, bound);
  cross_memory = std::make_unique<Projection>(registry, name + ".cross_memory.weight", size.width,
                                              2 * size.width, bound);
  cross_out =
      std::make_unique<Projection>(registry, name + ".cross_out.weight", size.width, size.width, bound);
}

void Transformer::check(const NetworkOptions& options) {
  require(options.form == "paper-2017" || options.form == "t2t", "model.form",
          options.form.empty() ? "'model.form' is missing" : "unknown form \"" + options.form + "\"",
          "use paper-2017 (sums are normalised) or t2t (inputs are)");
  const TransformerSize size = size_of(options);
  require(size.width % 2 == 0 && size.width % size.heads == 0, "model.heads",
          fmt::format("{} heads cannot share a width of {}", size.heads, size.width),
          "give an even width that the number of heads divides");
  // Places of dropout are numbered with eight bits.
  require(size.layers <= 15, "model.layers", fmt::format("{} layers are too many", size.layers),
          "give at most 15");
  const auto probability = [](double p, const char* key) {
    require(p >= 0 && p < 1, key, "a dropout probability must lie in [0, 1)", "0 turns dropout off");
  };
  probability(options.dropout, "model.dropout");
  probability(options.attention_dropout, "model.attention_dropout");
  probability(options.relu_dropout, "model.relu_dropout");
}

Transformer::Transformer(const NetworkOptions& options)
    : size_(size_of(options)),
      pre_norm_(options.form == "t2t"),
      dropout_(options.dropout),
      attention_dropout_(options.attention_dropout),
      relu_dropout_(options.relu_dropout) {
  check(options);
  require(options.source_classes > 0, "model.name",
          "\"" + options.name + "\" reads text, which this task has not",
          "use a network for images, or a task of text");
  ParameterRegistry registry(*this, options.seed, false);
  const auto embedding = [&](const char* name, int64_t tokens) {
    return registry.add_parameter(name, {tokens, size_.width}, Role::weight,
                                  Initialiser::normal(1 / std::sqrt(static_cast<double>(size_.width))), true);
  };
  target_embedding_ = embedding("embedding.weight", options.classes);
  source_embedding_ = options.joint_vocabulary ? target_embedding_
                                               : embedding("source_embedding.weight", options.source_classes);
  for (int64_t i = 0; i < size_.layers; ++i)
    encoder_.emplace_back(registry, fmt::format("encoder.layer{}", i), size_, false);
  if (pre_norm_)
    encoder_norm_ = std::make_unique<ResidualNorm>(registry, "encoder.norm", size_.width, kEpsilon);
  for (int64_t i = 0; i < size_.layers; ++i)
    decoder_.emplace_back(registry, fmt::format("decoder.layer{}", i), size_, true);
  if (pre_norm_)
    decoder_norm_ = std::make_unique<ResidualNorm>(registry, "decoder.norm", size_.width, kEpsilon);
}

/// One forward pass: what it computes in, where sentences are, and the residual stream.
struct Transformer::Pass {
  const Transformer& network;
  const ForwardContext& context;
  at::ScalarType type;
  Offsets source, target;
  std::shared_ptr<const RowAddresses> source_rows, target_rows;

  // Of the stack at hand.
  at::Tensor stream, branch;
  RowDropout of_branch;
  const ResidualNorm* after = nullptr;  ///< in post-norm form: of the sub-layer before

  RowDropout dropout(double probability, uint32_t place,
                     const std::shared_ptr<const RowAddresses>& rows) const {
    return {probability, place, context, rows};
  }

  void begin(const at::Tensor& embedded) {
    stream = embedded;
    branch = at::Tensor();
    after = nullptr;
  }

  /// The input of the sub-layer whose norm this is.
  at::Tensor enter(const ResidualNorm& norm) {
    if (network.pre_norm_) return take(norm);
    const ResidualNorm* before = after;
    after = &norm;
    return before ? take(*before) : stream.to(type);
  }

  /// The output of the stack.
  at::Tensor end(const ResidualNorm* last) { return take(network.pre_norm_ ? *last : *after); }

  at::Tensor take(const ResidualNorm& norm) {
    if (network.pre_norm_) {
      const auto result = norm(stream, branch, of_branch, type);
      stream = result.sum;
      return result.normalised;
    }
    stream = norm(stream, branch, of_branch, at::kFloat).normalised;
    return stream.to(type);
  }

  void leave(const at::Tensor& output, const RowDropout& dropped) {
    branch = output;
    of_branch = dropped;
  }

  void feed_forward(const TransformerLayer& layer, uint32_t place,
                    const std::shared_ptr<const RowAddresses>& rows) {
    const at::Tensor hidden = relu_and_drop_rows(layer.hidden(enter(layer.feed_forward_norm)),
                                                 dropout(network.relu_dropout_, place + in_hidden, rows));
    leave(layer.output(hidden), dropout(network.dropout_, place + of_output, rows));
  }

  void self(const TransformerLayer& layer, uint32_t place, bool causal, const Offsets& offsets,
            const std::shared_ptr<const RowAddresses>& rows) {
    const AttentionShape shape{network.size_.heads, causal, offsets, offsets,
                               dropout(network.attention_dropout_, place + in_self, rows)};
    const at::Tensor attended = self_attention(layer.self_in(enter(layer.self_norm)), shape);
    leave(layer.self_out(attended), dropout(network.dropout_, place + 4 + in_self, rows));
  }

  void cross(const TransformerLayer& layer, uint32_t place, const at::Tensor& memory) {
    const AttentionShape shape{network.size_.heads, false, target, source,
                               dropout(network.attention_dropout_, place + in_cross, target_rows)};
    const at::Tensor attended =
        cross_attention((*layer.cross_query)(enter(*layer.cross_norm)), (*layer.cross_memory)(memory), shape);
    leave((*layer.cross_out)(attended), dropout(network.dropout_, place + 4 + in_cross, target_rows));
  }
};

namespace {

/// Whose rows they are, and their positions. ids: of each target row; a source's are its target's.
std::shared_ptr<const RowAddresses> addresses(const Offsets& offsets, const Offsets& target,
                                              const at::Tensor& ids) {
  auto rows = std::make_shared<RowAddresses>();
  const at::Tensor known = ids.defined() ? ids.to(at::kCPU, at::kLong).contiguous() : ids;
  for (size_t sentence = 0; sentence + 1 < offsets.size(); ++sentence)
    for (int64_t row = offsets[sentence]; row < offsets[sentence + 1]; ++row) {
      rows->samples.push_back(known.defined() ? known.data_ptr<int64_t>()[target[sentence]]
                                              : static_cast<int64_t>(sentence));
      rows->positions.push_back(static_cast<int32_t>(row - offsets[sentence]));
    }
  return rows;
}

at::Tensor positions_of(const RowAddresses& rows, c10::Device device) {
  const at::Tensor positions = at::empty({static_cast<int64_t>(rows.positions.size())}, at::kLong);
  std::copy(rows.positions.begin(), rows.positions.end(), positions.data_ptr<int64_t>());
  return cluster::upload(positions, device);
}

}  // namespace

at::Tensor Transformer::embed(const at::Tensor& tokens, const Parameter& embedding,
                              const at::Tensor& positions) const {
  const int64_t longest = positions.numel() > 0 ? positions.max().item<int64_t>() + 1 : 0;
  const at::Tensor table = cluster::upload(position_table(longest, size_.width), tokens.device());
  return at::embedding(embedding.value, tokens) * std::sqrt(static_cast<double>(size_.width)) +
         table.index_select(0, positions);
}

at::Tensor Transformer::encode(Pass& pass, const at::Tensor& tokens) {
  const at::Tensor positions = positions_of(*pass.source_rows, tokens.device());
  pass.begin(
      drop_rows(embed(tokens, *source_embedding_, positions), pass.dropout(dropout_, 254, pass.source_rows)));
  uint32_t place = 0;
  for (const TransformerLayer& layer : encoder_) {
    pass.self(layer, place, false, pass.source, pass.source_rows);
    pass.feed_forward(layer, place, pass.source_rows);
    place += per_layer;
  }
  return pass.end(encoder_norm_.get());
}

at::Tensor Transformer::predict(Pass& pass, const at::Tensor& tokens, const at::Tensor& memory) {
  const at::Tensor positions = positions_of(*pass.target_rows, tokens.device());
  pass.begin(
      drop_rows(embed(tokens, *target_embedding_, positions), pass.dropout(dropout_, 255, pass.target_rows)));
  uint32_t place = kDecoderPlaces;
  for (const TransformerLayer& layer : decoder_) {
    pass.self(layer, place, true, pass.target, pass.target_rows);
    pass.cross(layer, place, memory);
    pass.feed_forward(layer, place, pass.target_rows);
    place += per_layer;
  }
  return pass.end(decoder_norm_.get());
}

Rows Transformer::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  Pass pass{*this,
            context,
            encoder_[0].hidden.type(),
            offsets_of(inputs.at(1)),
            offsets_of(inputs.at(3)),
            {},
            {},
            {},
            {},
            {}};
  pass.source_rows = addresses(pass.source, pass.target, context.sample_ids);
  pass.target_rows = addresses(pass.target, pass.target, context.sample_ids);
  Rows rows;
  rows.penultimate = predict(pass, inputs[2], encode(pass, inputs[0]));
  if (context.features_only) return rows;
  rows.penultimate = rows.penultimate.to(at::kFloat);
  rows.logits = at::linear(rows.penultimate, target_embedding_->value);
  return rows;
}

Classifier Transformer::classifier() const {
  const at::Tensor& weight = target_embedding_->value;
  return {weight, at::zeros({weight.size(0)}, weight.options().requires_grad(false))};
}

std::unique_ptr<Decoding> Transformer::decode(const SourceSentences& sources) {
  if (!decoding_weights_) decoding_weights_ = std::make_shared<const DecodingWeights>(*this);
  return make_decoding(decoding_weights_, sources);
}

}  // namespace smoothlab::models
