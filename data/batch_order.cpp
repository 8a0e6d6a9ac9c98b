#include "data/batch_order.h"

#include "data/global_order.h"
#include "data/token_order.h"

namespace smoothlab::data {
namespace {

class SampleOrder final : public BatchOrder {
 public:
  SampleOrder(uint64_t seed, int64_t samples, int64_t batch)
      : samples_(samples), batch_(batch), order_(seed, samples) {}

  int64_t size(int64_t) const override { return batch_; }
  int64_t largest() const override { return batch_; }
  std::vector<SampleAddress> at(int64_t step, int64_t first, int64_t count) const override {
    return order_.at(step * batch_ + first, count);
  }
  double epochs(int64_t steps) const override {
    return static_cast<double>(steps) * static_cast<double>(batch_) / static_cast<double>(samples_);
  }
  int64_t steps(int64_t epochs) const override { return (epochs * samples_ + batch_ - 1) / batch_; }

 private:
  int64_t samples_, batch_;
  GlobalOrder order_;
};

}  // namespace

std::shared_ptr<const BatchOrder> make_batch_order(const Dataset& split, uint64_t seed,
                                                   const BatchSize& size) {
  if (size.tokens == 0) return std::make_shared<SampleOrder>(seed, split.size(), size.samples);
  std::vector<int64_t> lengths(static_cast<size_t>(split.size()));
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = split.tokens(static_cast<int64_t>(i));
  return std::make_shared<TokenOrder>(seed, lengths, size.tokens);
}

}  // namespace smoothlab::data
