#include "models/transformer_decoding.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cluster/error.h"
#include "models/attention_head.h"
#include "models/decoding_attention.h"
#include "models/residual_norm_kernels.h"
#include "models/transformer.h"

namespace smoothlab::models {
namespace {

namespace kernels = residual_norm_kernels;
using Rows2d = std::vector<float>;  ///< [rows, width of whatever it is]

/// Of a source sentence: the scores of all of its queries would be the square of its length.
constexpr int64_t queries_at_once = 64;

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

DecodingWeights::Norm norm_of(const ResidualNorm* norm) {
  if (!norm) return {};
  return {values_of(norm->weight()), values_of(norm->bias()), static_cast<float>(norm->epsilon())};
}

DecodingWeights::Layer layer_of(const TransformerLayer& layer) {
  const at::Tensor none;
  DecodingWeights::Layer all;
  all.self_norm = norm_of(&layer.self_norm);
  all.self_in = PackedMatrix(layer.self_in.weight(), none);
  all.self_out = PackedMatrix(layer.self_out.weight(), none);
  all.feed_forward_norm = norm_of(&layer.feed_forward_norm);
  all.hidden = PackedMatrix(layer.hidden.weight(), layer.hidden.bias());
  all.output = PackedMatrix(layer.output.weight(), layer.output.bias());
  if (!layer.cross_norm) return all;
  all.cross_norm = norm_of(layer.cross_norm.get());
  all.cross_query = PackedMatrix(layer.cross_query->weight(), none);
  all.cross_memory = PackedMatrix(layer.cross_memory->weight(), none);
  all.cross_out = PackedMatrix(layer.cross_out->weight(), none);
  return all;
}

Rows2d product(const PackedMatrix& matrix, const Rows2d& rows) {
  const int64_t m = static_cast<int64_t>(rows.size()) / matrix.in();
  Rows2d results(static_cast<size_t>(m * matrix.out()));
  matrix.multiply(rows.data(), m, results.data());
  return results;
}

Rows2d chosen_rows(const Rows2d& rows, const std::vector<int32_t>& chosen, int64_t width) {
  Rows2d result(chosen.size() * static_cast<size_t>(width));
  for (size_t i = 0; i < chosen.size(); ++i)
    std::copy_n(rows.begin() + chosen[i] * width, width, result.begin() + static_cast<int64_t>(i) * width);
  return result;
}

/// The residual stream of some rows, as Transformer::Pass has it.
class Stream {
 public:
  Stream(const DecodingWeights& weights, Rows2d embedded) : weights_(weights), stream_(std::move(embedded)) {}

  Rows2d enter(const DecodingWeights::Norm& norm) {
    if (weights_.pre_norm) return normalised(norm);
    const auto* before = std::exchange(after_, &norm);
    if (!before) return stream_;
    stream_ = normalised(*before);
    return stream_;
  }
  void leave(const Rows2d& branch) {
    for (size_t i = 0; i < stream_.size(); ++i) stream_[i] += branch[i];
  }
  Rows2d end(const DecodingWeights::Norm& last) { return normalised(weights_.pre_norm ? last : *after_); }

  void feed_forward(const DecodingWeights::Layer& layer) {
    Rows2d hidden = product(layer.hidden, enter(layer.feed_forward_norm));
    for (float& x : hidden) x = std::max(x, 0.0F);
    leave(product(layer.output, hidden));
  }

 private:
  Rows2d normalised(const DecodingWeights::Norm& norm) const {
    Rows2d result(stream_.size());
    const int64_t width = weights_.width, rows = static_cast<int64_t>(stream_.size()) / width;
    at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float mean, inverse;
        const float* from = stream_.data() + row * width;
        kernels::statistics(from, width, norm.epsilon, mean, inverse);
        kernels::normalise(from, width, mean, inverse, norm.weight.data(), norm.bias.data(),
                           result.data() + row * width);
      }
    });
    return result;
  }

  const DecodingWeights& weights_;
  Rows2d stream_;
  const DecodingWeights::Norm* after_ = nullptr;
};

class TransformerDecoding final : public Decoding {
 public:
  TransformerDecoding(std::shared_ptr<const DecodingWeights> weights, const SourceSentences& sources)
      : weights_(std::move(weights)), width_(weights_->width) {
    for (int64_t sentence = 0; sentence < sources.size(); ++sentence) {
      if (sources.offsets[static_cast<size_t>(sentence)] >=
          sources.offsets[static_cast<size_t>(sentence) + 1])
        throw RunError("a sentence without tokens", fmt::format("sentence {}", sentence),
                       "give it an end token");
      lanes_.push_back({sentence, {}});
    }
    const Rows2d memory = encode(sources);
    memory_offsets_ = sources.offsets;
    for (const auto& layer : weights_->decoder) memory_.push_back(product(layer.cross_memory, memory));
    cache_.resize(weights_->decoder.size());
  }

  int64_t lanes() const override { return static_cast<int64_t>(lanes_.size()); }

  void step(const std::vector<int32_t>& tokens, float* logits) override {
    if (static_cast<int64_t>(tokens.size()) != lanes())
      throw RunError(fmt::format("{} tokens for {} lanes", tokens.size(), lanes()), "decoding",
                     "give one a lane");
    if (lanes_.empty()) return;
    const std::vector<int64_t> positions(tokens.size(), steps_);
    Stream stream(*weights_, embedded(weights_->target_embedding, tokens, positions));
    ++steps_;
    for (size_t lane = 0; lane < lanes_.size(); ++lane)
      lanes_[lane].history.push_back(static_cast<int32_t>(lane));
    for (size_t i = 0; i < weights_->decoder.size(); ++i) {
      const auto& layer = weights_->decoder[i];
      const Rows2d projected = product(layer.self_in, stream.enter(layer.self_norm));
      cache_[i].push_back(keys_and_values(projected));
      stream.leave(product(layer.self_out, attend_to_past(projected, cache_[i])));
      const Rows2d queries = product(layer.cross_query, stream.enter(layer.cross_norm));
      stream.leave(product(layer.cross_out, attend_to_source(queries, memory_[i])));
      stream.feed_forward(layer);
    }
    const Rows2d features = stream.end(weights_->decoder_norm);
    weights_->classifier.multiply(features.data(), lanes(), logits);
  }

  void select(const std::vector<int64_t>& chosen) override {
    std::vector<Lane> next;
    next.reserve(chosen.size());
    for (const int64_t lane : chosen) {
      if (lane < 0 || lane >= lanes())
        throw RunError(fmt::format("there is no lane {} of {}", lane, lanes()), "decoding",
                       "choose one that is");
      next.push_back(lanes_[static_cast<size_t>(lane)]);
    }
    lanes_ = std::move(next);
    for (int64_t step = 0; step < steps_; ++step) drop_dead_rows(static_cast<size_t>(step));
  }

 private:
  /// Keys and values stay where they were put: a lane that branches or leaves moves none of them.
  struct Lane {
    int64_t sentence;
    std::vector<int32_t> history;  ///< its row in the cache of each step so far
  };

  /// Rows of a step that no lane attends to are given up, and the others move, once they are most of it.
  void drop_dead_rows(size_t step) {
    const size_t stored = cache_.front()[step].size() / static_cast<size_t>(2 * width_);
    std::vector<int32_t> place(stored, -1), kept;
    for (const Lane& lane : lanes_) place[static_cast<size_t>(lane.history[step])] = 0;
    for (size_t row = 0; row < stored; ++row) {
      if (place[row] < 0) continue;
      place[row] = static_cast<int32_t>(kept.size());
      kept.push_back(static_cast<int32_t>(row));
    }
    if (2 * kept.size() >= stored) return;
    for (auto& steps : cache_) steps[step] = chosen_rows(steps[step], kept, 2 * width_);
    for (Lane& lane : lanes_) lane.history[step] = place[static_cast<size_t>(lane.history[step])];
  }

  Rows2d embedded(const std::vector<float>& table, const std::vector<int32_t>& tokens,
                  const std::vector<int64_t>& positions) {
    const int64_t known = static_cast<int64_t>(table.size()) / width_;
    const int64_t longest = *std::max_element(positions.begin(), positions.end()) + 1;
    if (static_cast<int64_t>(positions_.size()) < longest * width_)
      positions_ = values_of(position_table(std::max<int64_t>(2 * longest, 64), width_));
    const auto scale = static_cast<float>(std::sqrt(static_cast<double>(width_)));
    Rows2d rows(tokens.size() * static_cast<size_t>(width_));
    for (size_t row = 0; row < tokens.size(); ++row) {
      if (tokens[row] < 0 || tokens[row] >= known)
        throw RunError(fmt::format("token {} is not in the vocabulary of {}", tokens[row], known), "decoding",
                       "check that vocabulary and network fit");
      const float* from = table.data() + tokens[row] * width_;
      const float* at = positions_.data() + positions[row] * width_;
      float* to = rows.data() + row * static_cast<size_t>(width_);
      for (int64_t i = 0; i < width_; ++i) to[i] = from[i] * scale + at[i];
    }
    return rows;
  }

  Rows2d encode(const SourceSentences& sources) {
    std::vector<int64_t> positions(sources.tokens.size());
    for (int64_t sentence = 0; sentence < sources.size(); ++sentence)
      for (int64_t row = sources.offsets[static_cast<size_t>(sentence)];
           row < sources.offsets[static_cast<size_t>(sentence) + 1]; ++row)
        positions[static_cast<size_t>(row)] = row - sources.offsets[static_cast<size_t>(sentence)];
    if (sources.size() == 0) return {};
    Stream stream(*weights_, embedded(weights_->source_embedding, sources.tokens, positions));
    for (const auto& layer : weights_->encoder) {
      const Rows2d rows = product(layer.self_in, stream.enter(layer.self_norm));
      stream.leave(product(layer.self_out, attend_within(rows, sources)));
      stream.feed_forward(layer);
    }
    return stream.end(weights_->encoder_norm);
  }

  /// rows: q, k and v side by side.
  Rows2d attend_within(const Rows2d& rows, const SourceSentences& sources) const {
    const int64_t heads = weights_->heads, stride = 3 * width_;
    Rows2d out(rows.size() / 3);
    at::parallel_for(0, sources.size() * heads, 1, [&](int64_t begin, int64_t end) {
      AttentionHead head;
      std::vector<float> sums(queries_at_once);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = sources.offsets[static_cast<size_t>(i / heads)],
                      column = i % heads * (width_ / heads);
        HeadSize size;
        size.keys = sources.offsets[static_cast<size_t>(i / heads) + 1] - first;
        size.width = width_ / heads;
        const float* k = rows.data() + first * stride + width_ + column;
        for (int64_t query = 0; query < size.keys; query += queries_at_once) {
          size.queries = std::min(queries_at_once, size.keys - query);
          head.load(size, k - width_ + query * stride, stride, k, k + width_, stride);
          head.forward(size, nullptr, out.data() + (first + query) * width_ + column, width_, sums.data(), 1);
        }
      }
    });
    return out;
  }

  /// Of rows of q, k and v side by side.
  Rows2d keys_and_values(const Rows2d& projected) const {
    Rows2d kept(projected.size() / 3 * 2);
    const auto from = projected.begin() + width_;
    for (int64_t row = 0; row < lanes(); ++row)
      std::copy_n(from + row * 3 * width_, 2 * width_, kept.begin() + row * 2 * width_);
    return kept;
  }

  /// projected: q, k and v of the lanes now; cache: k and v of each step's lanes, these the last.
  Rows2d attend_to_past(const Rows2d& projected, const std::vector<Rows2d>& cache) const {
    Rows2d out(lanes_.size() * static_cast<size_t>(width_));
    const int64_t stride = 2 * width_;
    at::parallel_for(0, lanes(), 1, [&](int64_t begin, int64_t end) {
      std::vector<const float*> keys;
      std::vector<float> weights;
      for (int64_t lane = begin; lane < end; ++lane) {
        const auto& history = lanes_[static_cast<size_t>(lane)].history;
        keys.resize(history.size());
        for (size_t step = 0; step < history.size(); ++step)
          keys[step] = cache[step].data() + history[step] * stride;
        attend_one(projected.data() + lane * 3 * width_, keys, width_, width_, weights_->heads, weights,
                   out.data() + lane * width_);
      }
    });
    return out;
  }

  /// memory: k and v of each source token.
  Rows2d attend_to_source(const Rows2d& queries, const Rows2d& memory) const {
    Rows2d out(queries.size());
    at::parallel_for(0, lanes(), 1, [&](int64_t begin, int64_t end) {
      std::vector<const float*> keys;
      std::vector<float> weights;
      for (int64_t lane = begin; lane < end; ++lane) {
        const auto sentence = static_cast<size_t>(lanes_[static_cast<size_t>(lane)].sentence);
        keys.clear();
        for (int64_t row = memory_offsets_[sentence]; row < memory_offsets_[sentence + 1]; ++row)
          keys.push_back(memory.data() + row * 2 * width_);
        attend_one(queries.data() + lane * width_, keys, width_, width_, weights_->heads, weights,
                   out.data() + lane * width_);
      }
    });
    return out;
  }

  std::shared_ptr<const DecodingWeights> weights_;
  int64_t width_;
  std::vector<Lane> lanes_;
  std::vector<float> positions_;
  std::vector<int64_t> memory_offsets_;
  std::vector<Rows2d> memory_;              ///< by layer
  std::vector<std::vector<Rows2d>> cache_;  ///< by layer and step
  int64_t steps_ = 0;
};

}  // namespace

DecodingWeights::DecodingWeights(const Transformer& network)
    : width(network.size().width),
      heads(network.size().heads),
      pre_norm(network.pre_norm()),
      encoder_norm(norm_of(network.encoder_norm())),
      decoder_norm(norm_of(network.decoder_norm())),
      source_embedding(values_of(network.source_embedding())),
      target_embedding(values_of(network.target_embedding())),
      classifier(network.target_embedding(), at::Tensor()) {
  for (const TransformerLayer& layer : network.encoder()) encoder.push_back(layer_of(layer));
  for (const TransformerLayer& layer : network.decoder()) decoder.push_back(layer_of(layer));
}

std::unique_ptr<Decoding> make_decoding(std::shared_ptr<const DecodingWeights> weights,
                                        const SourceSentences& sources) {
  return std::make_unique<TransformerDecoding>(std::move(weights), sources);
}

}  // namespace smoothlab::models
