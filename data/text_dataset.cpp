#include "data/text_dataset.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "cluster/error.h"
#include "data/begin_and_end.h"

namespace smoothlab::data {

TextDataset::TextDataset(std::shared_ptr<const SentencePairs> pairs, const std::string& source,
                         const std::string& target, Names names)
    : pairs_(std::move(pairs)),
      vocabularies_{pairs_->source_vocabulary(), pairs_->target_vocabulary()},
      names_(std::move(names)) {
  require_begin_and_end(vocabularies_.source, source);
  require_begin_and_end(vocabularies_.target, target);
}

int64_t TextDataset::tokens(int64_t sample) const {
  return std::max(pairs_->source(sample).count, pairs_->target(sample).count) + 1;
}

at::Tensor TextDataset::class_counts() const {
  std::call_once(counted_, [this] {
    at::Tensor counts = at::zeros({classes()}, at::kLong);
    auto* count = counts.data_ptr<int64_t>();
    for (int64_t pair = 0; pair < size(); ++pair)
      for (const int32_t token : pairs_->target(pair)) ++count[token];
    count[vocabularies_.target.special.end] += size();
    counts_ = counts;
  });
  return counts_;
}

Batch TextDataset::collate(const std::vector<SampleAddress>& samples, Augment) const {
  const auto batch = static_cast<int64_t>(samples.size());
  int64_t source_total = 0, target_total = 0;
  for (const auto& address : samples) {
    if (address.sample < 0 || address.sample >= size())
      throw UsageError("there is no sample " + std::to_string(address.sample), "text",
                       "the split has " + std::to_string(size()));
    source_total += pairs_->source(address.sample).count + 1;
    target_total += rows(address.sample);
  }
  const at::Tensor source = at::empty({source_total}, at::kLong),
                   source_offsets = at::zeros({batch + 1}, at::kLong),
                   target = at::empty({target_total}, at::kLong),
                   target_offsets = at::zeros({batch + 1}, at::kLong);
  Batch result;
  result.inputs = {source, source_offsets, target, target_offsets};
  result.labels = at::empty({target_total}, at::kLong);
  result.sample_ids = at::empty({target_total}, at::kLong);
  result.positions = at::empty({target_total}, at::kInt);
  auto* s = source.data_ptr<int64_t>();
  auto* t = target.data_ptr<int64_t>();
  auto* label = result.labels.data_ptr<int64_t>();
  auto* id = result.sample_ids.data_ptr<int64_t>();
  auto* position = result.positions.data_ptr<int32_t>();
  auto* source_offset = source_offsets.data_ptr<int64_t>();
  auto* target_offset = target_offsets.data_ptr<int64_t>();
  for (const auto& address : samples) {
    const Tokens from = pairs_->source(address.sample), to = pairs_->target(address.sample);
    s = std::copy(from.begin(), from.end(), s);
    *s++ = vocabularies_.source.special.end;
    *t++ = vocabularies_.target.special.begin;
    t = std::copy(to.begin(), to.end(), t);
    label = std::copy(to.begin(), to.end(), label);
    *label++ = vocabularies_.target.special.end;
    for (int64_t i = 0; i <= to.count; ++i) {
      *id++ = address.sample;
      *position++ = static_cast<int32_t>(i);
    }
    source_offset[1] = source_offset[0] + from.count + 1;
    target_offset[1] = target_offset[0] + to.count + 1;
    ++source_offset, ++target_offset;
  }
  return result;
}

}  // namespace smoothlab::data
