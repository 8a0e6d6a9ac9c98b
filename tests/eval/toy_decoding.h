#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "cluster/addressed_random.h"
#include "data/sentence_pairs.h"
#include "models/translation_network.h"

namespace smoothlab::test {

/// Ids of the toys: 0 … K−2 are words, K−1 ends, and there are no others; the begin token is the end token.
inline data::Vocabulary toy_vocabulary(int64_t size) {
  const auto end = static_cast<int32_t>(size - 1);
  return {size, {-1, -1, end, end}, ""};
}

/// Logits of a sentence after a prefix (with its begin token): writes K of them.
using ToyModel = std::function<void(const std::vector<int32_t>& source, const std::vector<int32_t>& prefix,
                                    float* logits)>;

/// A Decoding that keeps each lane's prefix and asks the model.
class ToyDecoding : public models::Decoding {
 public:
  ToyDecoding(std::vector<std::vector<int32_t>> sources, int64_t classes, ToyModel model)
      : classes_(classes), model_(std::move(model)) {
    for (auto& source : sources) lanes_.push_back({std::move(source), {}});
  }
  int64_t lanes() const override { return static_cast<int64_t>(lanes_.size()); }
  void step(const std::vector<int32_t>& tokens, float* logits) override {
    ++steps;
    rows += static_cast<int64_t>(tokens.size());
    if (tokens.size() != lanes_.size()) throw std::logic_error("a token a lane");
    for (size_t i = 0; i < tokens.size(); ++i) {
      lanes_[i].prefix.push_back(tokens[i]);
      model_(lanes_[i].source, lanes_[i].prefix, logits + static_cast<int64_t>(i) * classes_);
    }
  }
  void select(const std::vector<int64_t>& chosen) override {
    std::vector<Lane> next;
    for (const int64_t lane : chosen) next.push_back(lanes_.at(static_cast<size_t>(lane)));
    lanes_ = std::move(next);
  }
  int64_t steps = 0, rows = 0;

 private:
  struct Lane {
    std::vector<int32_t> source, prefix;
  };
  int64_t classes_;
  ToyModel model_;
  std::vector<Lane> lanes_;
};

/// Logits that depend on the source and the whole prefix through a hash: normal, times `spread`, and the end
/// token's more by `ending`.
inline ToyModel hashed_model(uint64_t seed, int64_t classes, double spread, double ending = 0) {
  return [=](const std::vector<int32_t>& source, const std::vector<int32_t>& prefix, float* logits) {
    uint64_t hash = 1469598103934665603U;
    for (const auto* tokens : {&source, &prefix}) {
      for (const int32_t token : *tokens) hash = (hash ^ (static_cast<uint64_t>(token) + 1)) * 1099511628211U;
      hash = (hash ^ 0xFFFF) * 1099511628211U;
    }
    const AddressedRandom random(seed, Purpose::generated_data, static_cast<uint32_t>(hash >> 32),
                                 hash & 0xFFFFFFFF);
    for (int64_t k = 0; k < classes; ++k)
      logits[k] = static_cast<float>(spread * random.normal(static_cast<uint32_t>(k)));
    logits[classes - 1] += static_cast<float>(ending);
  };
}

/// Logits that depend on the last token: row t of a table [K, K].
inline ToyModel markov_model(std::vector<std::vector<float>> table) {
  return [table = std::move(table)](const std::vector<int32_t>&, const std::vector<int32_t>& prefix,
                                    float* logits) {
    const auto& row = table[static_cast<size_t>(prefix.back())];
    std::copy(row.begin(), row.end(), logits);
  };
}

inline models::SourceSentences sentences(const std::vector<std::vector<int32_t>>& each) {
  models::SourceSentences all;
  for (const auto& one : each) {
    all.tokens.insert(all.tokens.end(), one.begin(), one.end());
    all.offsets.push_back(static_cast<int64_t>(all.tokens.size()));
  }
  return all;
}

/// A translator whose decode() is the toy; it has no weights and no forward pass.
class ToyTranslator : public models::TranslationNetwork {
 public:
  ToyTranslator(int64_t classes, ToyModel model) : classes_(classes), model_(std::move(model)) {}
  models::Rows forward(const std::vector<at::Tensor>&, const models::ForwardContext&) override { return {}; }
  models::Classifier classifier() const override { return {}; }
  int64_t classes() const override { return classes_; }
  int64_t penultimate_size() const override { return 0; }
  std::unique_ptr<models::Decoding> decode(const models::SourceSentences& sources) override {
    std::vector<std::vector<int32_t>> each;
    for (size_t i = 0; i + 1 < sources.offsets.size(); ++i)
      each.emplace_back(sources.tokens.begin() + sources.offsets[i],
                        sources.tokens.begin() + sources.offsets[i + 1]);
    return std::make_unique<ToyDecoding>(std::move(each), classes_, model_);
  }

 private:
  int64_t classes_;
  ToyModel model_;
};

}  // namespace smoothlab::test
