#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "data/dataset.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"
#include "trainer/soft_targets.h"

namespace smoothlab::trainer {
namespace {

/// Images as small as the auxiliary head of Inception-v4 takes them.
class Waves : public data::Dataset {
 public:
  int64_t size() const override { return 3; }
  int64_t classes() const override { return 3; }
  std::vector<std::string> class_names() const override { return {"a", "b", "c"}; }
  int64_t rows(int64_t) const override { return 1; }
  at::Tensor class_counts() const override { return at::ones({3}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {1, 107, 107}; }
  data::Batch collate(const std::vector<data::SampleAddress>&, data::Augment) const override {
    data::Batch batch;
    batch.labels = batch.sample_ids = at::arange(3, at::kLong);
    batch.inputs = {
        at::sin((batch.sample_ids.reshape({3, 1, 1, 1}) + 1) * at::arange(107 * 107).reshape({107, 107}) / 7)
            .contiguous(at::MemoryFormat::ChannelsLast)};
    return batch;
  }
};

TEST(LearnerAuxiliarySlow, LossOfTheSecondClassifierCountsFourTenths) {
  const Waves waves;
  const data::Batch batch = waves.collate({}, data::Augment::none);
  Recipe recipe;
  recipe.model.name = "inception_v4";
  recipe.model.auxiliary_head = true;
  recipe.targets.alpha = 0.1;
  recipe.optimizer.name = "sgd";
  recipe.optimizer.lr = 0.5;
  recipe.optimizer.momentum = recipe.optimizer.weight_decay = 0;
  recipe.train.global_batch = 3;

  const auto expected = make_network_of(recipe, waves);
  models::ForwardContext context;
  context.training = true;
  const models::Rows rows = expected->forward(batch.inputs, context);
  const SoftTargets targets = make_soft_targets(recipe.targets, waves.class_counts());
  const at::Tensor loss = soft_target_loss(rows.logits, batch.labels, targets);
  torch::autograd::backward(
      {(loss + 0.4 * soft_target_loss(rows.auxiliary_logits, batch.labels, targets)) / 3}, {});

  const auto solo = cluster::make_solo_communicator();
  Learner learner(recipe, waves, 1, *solo, cluster::Placement{}, nullptr, nullptr);
  LossMeter meter;
  learner.step(
      0,
      [&] {
        data::MicroBatch micro;
        micro.batch = batch;
        micro.last = true;
        return micro;
      },
      meter);
  // What is reported is the loss of the logits alone.
  EXPECT_NEAR(meter.window().loss, loss.item<double>(), 1e-5);
  for (size_t i = 0; i < expected->parameters().size(); ++i) {
    const models::Parameter &before = expected->parameters()[i], &after = learner.network().parameters()[i];
    const at::Tensor wanted = before.value.detach() - 0.5 * before.value.grad();
    EXPECT_TRUE(at::allclose(after.value.detach(), wanted, 1e-4, 1e-5))
        << before.name << " " << (after.value.detach() - wanted).abs().max().item<float>();
  }
}

}  // namespace
}  // namespace smoothlab::trainer
