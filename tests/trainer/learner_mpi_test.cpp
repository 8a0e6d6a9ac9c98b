#include "trainer/learner.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "data/batch_stream.h"
#include "support/ranks.h"
#include "trainer/repeated_steps.h"
#include "trainer/run_parts.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

/// Samples of one or more rows, as sentences are of tokens. A row is a small image of its own.
class Bags : public data::Dataset {
 public:
  explicit Bags(std::vector<int64_t> rows) : rows_(std::move(rows)) {}
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  int64_t classes() const override { return 3; }
  std::vector<std::string> class_names() const override { return {"a", "b", "c"}; }
  int64_t rows(int64_t sample) const override { return rows_[static_cast<size_t>(sample)]; }
  at::Tensor class_counts() const override { return at::ones({3}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {1, 2, 2}; }
  data::Batch collate(const std::vector<data::SampleAddress>& samples, data::Augment) const override {
    std::vector<int64_t> all;
    for (const auto& sample : samples) {
      const auto first = std::accumulate(rows_.begin(), rows_.begin() + sample.sample, int64_t{0});
      for (int64_t row = 0; row < rows(sample.sample); ++row) all.push_back(first + row);
    }
    data::Batch batch;
    batch.sample_ids = at::tensor(all, at::kLong);
    batch.labels = batch.sample_ids.remainder(3);
    batch.inputs = {at::sin(batch.sample_ids.to(at::kFloat).reshape({-1, 1, 1, 1}) * 1.3 +
                            at::arange(4, at::kFloat).reshape({1, 1, 2, 2}))};
    return batch;
  }

 private:
  std::vector<int64_t> rows_;
};

/// Weights after a step over all samples, this rank's slice of them in pieces of at most so many samples.
at::Tensor weights_after_a_step(const Bags& bags, cluster::Communicator& communicator,
                                int64_t most_of_a_piece = 2) {
  Recipe recipe;
  recipe.model.name = "mlp";
  recipe.model.hidden = {5};
  recipe.optimizer.lr = 0.5;
  recipe.train.loss_scale = 3;
  recipe.train.global_batch = bags.size();
  Learner learner(recipe, bags, 1, communicator, cluster::Placement{}, nullptr, nullptr);
  int64_t first = 0;
  for (int rank = 0; rank < communicator.rank(); ++rank)
    first += rank_batch(bags.size(), communicator.size(), rank);
  const int64_t end = first + rank_batch(bags.size(), communicator.size(), communicator.rank());
  LossMeter meter;
  learner.step(
      0,
      [&] {
        std::vector<data::SampleAddress> samples;
        for (int64_t i = 0; i < most_of_a_piece && first < end; ++i) samples.push_back({first++, 0});
        data::MicroBatch micro;
        micro.batch = bags.collate(samples, data::Augment::training);
        micro.last = first == end;
        return micro;
      },
      meter);
  std::vector<at::Tensor> flat;
  for (const auto& parameter : learner.network().parameters())
    flat.push_back(parameter.value.detach().reshape({-1}).clone());
  return at::cat(flat);
}

// The loss is the mean over the rows of the global batch, whichever rank has how many of them.
TEST(LearnerMpi, WeighsRowsAlikeHoweverManyASampleHas) {
  cluster::Communicator& ranks = test::ranks();
  const at::Tensor uneven = weights_after_a_step(Bags({3, 1, 2, 1, 4}), ranks);
  const at::Tensor pairs = weights_after_a_step(Bags({2, 2, 2, 2}), ranks);
  const auto solo = cluster::make_solo_communicator();
  const at::Tensor eleven = weights_after_a_step(Bags(std::vector<int64_t>(11, 1)), *solo);
  const at::Tensor eight = weights_after_a_step(Bags(std::vector<int64_t>(8, 1)), *solo);
  EXPECT_TRUE(at::allclose(uneven, eleven, 1e-5, 1e-6)) << (uneven - eleven).abs().max().item<float>();
  EXPECT_TRUE(at::allclose(pairs, eight, 1e-5, 1e-6)) << (pairs - eight).abs().max().item<float>();
  EXPECT_FALSE(at::allclose(eleven, eight, 1e-5, 1e-6));
}

// The same against autograd over the whole batch at once, which knows of no pieces and no ranks: w − lr · ∇
// of loss_scale times the mean cross-entropy.
TEST(LearnerMpi, UnevenPiecesAddUpToTheWholeBatch) {
  const Bags bags(std::vector<int64_t>(13, 1));
  Recipe recipe;
  recipe.model.name = "mlp";
  recipe.model.hidden = {5};
  std::vector<at::Tensor> weights;
  const auto network = make_network_of(recipe, bags);
  for (const auto& parameter : network->parameters())
    weights.push_back(parameter.value.detach().to(at::kDouble).requires_grad_(true));
  ASSERT_EQ(weights.size(), 4U);  // weight and bias of the hidden layer and of the classifier
  std::vector<data::SampleAddress> all;
  for (int64_t sample = 0; sample < bags.size(); ++sample) all.push_back({sample, 0});
  const data::Batch batch = bags.collate(all, data::Augment::none);
  const at::Tensor inputs = batch.inputs[0].reshape({bags.size(), 4}).to(at::kDouble);
  const at::Tensor hidden = at::relu(at::addmm(weights[1], inputs, weights[0].t()));
  const at::Tensor log_p = at::log_softmax(at::addmm(weights[3], hidden, weights[2].t()), 1);
  (-3 * log_p.gather(1, batch.labels.unsqueeze(1)).mean()).backward();
  std::vector<at::Tensor> flat;
  for (const auto& weight : weights)
    flat.push_back((weight.detach() - 0.5 * weight.grad()).reshape({-1}).to(at::kFloat));
  const at::Tensor expected = at::cat(flat);
  for (const int64_t most : {1, 2, 3, 4, 13}) {
    const at::Tensor got = weights_after_a_step(bags, test::ranks(), most);
    EXPECT_TRUE(at::allclose(got, expected, 1e-5, 1e-6))
        << most << ": " << (got - expected).abs().max().item<float>();
  }
}

// On the CPU what is repeated is the work itself: all that a graph on CUDA relies on but the graph.
TEST(LearnerMpi, ARepeatedStepStandsForAllOthers) {
  for (const Recipe& recipe : recipes_to_repeat()) {
    const Trained launched = train(recipe, "never", test::ranks(), cluster::Placement{});
    const Trained repeated = train(recipe, "always", test::ranks(), cluster::Placement{});
    EXPECT_EQ(launched.loss, repeated.loss) << recipe.optimizer.name;
    EXPECT_EQ(launched.correct, repeated.correct);
    ASSERT_EQ(launched.tensors.size(), repeated.tensors.size());
    for (size_t i = 0; i < launched.tensors.size(); ++i)
      EXPECT_TRUE(launched.tensors[i].second.equal(repeated.tensors[i].second))
          << recipe.optimizer.name << ", " << launched.tensors[i].first;
  }
}

}  // namespace
}  // namespace smoothlab::trainer
