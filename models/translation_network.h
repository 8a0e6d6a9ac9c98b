#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/network.h"

namespace smoothlab::models {

/// Target sentences on their way, token by token, each in a lane: what a decoder keeps of their sources and
/// of the tokens so far. A lane's logits do not depend on the other lanes, bitwise, on the CPU in float32.
class Decoding {
 public:
  virtual ~Decoding() = default;
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  virtual int64_t lanes() const = 0;
  /// Feeds each lane its next token (the begin token first) and gives the logits of the one after it:
  /// [lanes, K] float32, before any temperature. tokens: one a lane. Throws RunError where they are not.
  virtual void step(const std::vector<int32_t>& tokens, float* logits) = 0;
  /// Lane i becomes what lane chosen[i] was: hypotheses branch, finished ones leave.
  virtual void select(const std::vector<int64_t>& chosen) = 0;

 protected:
  Decoding() = default;
};

/// Source sentences as token ids, each with its end token: sentence i is tokens [offsets[i], offsets[i+1]).
struct SourceSentences {
  std::vector<int32_t> tokens;
  std::vector<int64_t> offsets = {0};
  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

/// A network that translates. forward() takes, as text batches carry them, packed tokens without padding:
/// {source int64 [S], its offsets int64 [B+1], target int64 [R], its offsets int64 [B+1]}; sources end with
/// the end token, targets begin with the begin token, and row r of the output predicts the token after
/// target r.
class TranslationNetwork : public Network {
 public:
  /// A lane for each sentence, without dropout, on the CPU in float32. The weights are laid out for it at the
  /// first call and are not to change after that. Throws RunError for an empty sentence or a token outside
  /// the vocabulary.
  virtual std::unique_ptr<Decoding> decode(const SourceSentences& sources) = 0;
};

}  // namespace smoothlab::models
