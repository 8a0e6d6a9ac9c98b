#pragma once

#include <memory>
#include <vector>

#include "models/packed_matrix.h"
#include "models/translation_network.h"

namespace smoothlab::models {

class Transformer;

/// A Transformer's weights, copied and laid out for decoding in float32.
class DecodingWeights {
 public:
  explicit DecodingWeights(const Transformer& network);

  struct Norm {
    std::vector<float> weight, bias;
    float epsilon = 0;
  };
  struct Layer {
    Norm self_norm, cross_norm, feed_forward_norm;
    PackedMatrix self_in, self_out, cross_query, cross_memory, cross_out, hidden, output;
  };

  int64_t width, heads;
  bool pre_norm;
  std::vector<Layer> encoder, decoder;
  Norm encoder_norm, decoder_norm;                        ///< of pre-norm form
  std::vector<float> source_embedding, target_embedding;  ///< [tokens, width]
  PackedMatrix classifier;
  int64_t source_tokens() const { return static_cast<int64_t>(source_embedding.size()) / width; }
  int64_t target_tokens() const { return static_cast<int64_t>(target_embedding.size()) / width; }
};

/// See TranslationNetwork::decode().
std::unique_ptr<Decoding> make_decoding(std::shared_ptr<const DecodingWeights> weights,
                                        const SourceSentences& sources);

}  // namespace smoothlab::models
