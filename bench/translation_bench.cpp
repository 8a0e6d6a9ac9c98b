// Target tokens a second of training Transformer base on a fixed random batch, to be started under mpirun
// beside peers/ddp_transformer.py: translation_bench [fp32|bf16] [sentences a rank] [vocabulary] [seconds]
// [threads]. With "loss" as the first word the memory that the loss alone takes: translation_bench loss
// [sentences] [vocabulary].

#include <ATen/ATen.h>
#include <sys/resource.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "data/text_dataset.h"
#include "timed_steps.h"
#include "trainer/classifier_loss.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"

namespace {

using namespace smoothlab;

/// Sentences of 20 to 30 tokens with their ends, 25 on the average.
class RandomPairs final : public data::SentencePairs {
 public:
  RandomPairs(int64_t pairs, int64_t vocabulary) {
    vocabulary_.size = vocabulary;
    vocabulary_.digest = "random";
    for (int64_t pair = 0; pair < pairs; ++pair) {
      std::vector<int32_t> tokens;
      for (int64_t i = 0; i < 19 + pair * 7 % 11; ++i)
        tokens.push_back(static_cast<int32_t>(4 + (pair * 7919 + i * 104729) % (vocabulary - 4)));
      pairs_.push_back(std::move(tokens));
    }
  }
  int64_t size() const override { return static_cast<int64_t>(pairs_.size()); }
  data::Tokens source(int64_t pair) const override { return target(pair); }
  data::Tokens target(int64_t pair) const override {
    const auto& tokens = pairs_[static_cast<size_t>(pair)];
    return {tokens.data(), static_cast<int64_t>(tokens.size())};
  }
  const data::Vocabulary& source_vocabulary() const override { return vocabulary_; }
  const data::Vocabulary& target_vocabulary() const override { return vocabulary_; }
  std::string fingerprint() const override { return ""; }

 private:
  std::vector<std::vector<int32_t>> pairs_;
  data::Vocabulary vocabulary_;
};

trainer::Recipe recipe_of(const std::string& precision) {
  trainer::Recipe recipe;
  recipe.task.data = "text";
  recipe.model.name = "transformer_base";
  recipe.model.form = "t2t";
  recipe.model.dropout = recipe.model.attention_dropout = recipe.model.relu_dropout = 0.1;
  recipe.targets.alpha = 0.1;
  recipe.optimizer.name = "adam";
  recipe.optimizer.lr = 1e-4;
  recipe.optimizer.beta2 = 0.98;
  recipe.optimizer.epsilon = 1e-9;
  recipe.train.steps = 1 << 30;
  recipe.train.precision = precision;
  recipe.train.device = "cpu";
  return recipe;
}

int measure_training(const bench::Arguments& arguments) {
  const auto communicator = cluster::make_communicator();
  const std::string precision = arguments.at(0, "bf16");
  const int64_t sentences = std::stoll(arguments.at(1, "40"));
  const double seconds = std::stod(arguments.at(3, "10"));
  auto placement = cluster::place_rank(*communicator, "cpu");
  placement.threads = std::stoi(arguments.at(4, std::to_string(placement.threads)));
  cluster::apply(placement);
  auto recipe = recipe_of(precision);
  recipe.train.global_batch = sentences * communicator->size();
  const data::TextDataset text(
      std::make_shared<RandomPairs>(sentences, std::stoll(arguments.at(2, "32000"))));
  trainer::Learner learner(recipe, text, recipe.train.steps, *communicator, placement, nullptr, nullptr);
  std::vector<data::SampleAddress> samples;
  for (int64_t i = 0; i < sentences; ++i) samples.push_back({i, 0});
  data::MicroBatch batch;
  batch.batch = text.collate(samples, data::Augment::none);
  batch.last = true;
  trainer::LossMeter meter;
  int64_t step = 0;
  const auto next = [&] { return batch; };
  for (; step < 3; ++step) learner.step(step, next, meter);
  const bench::TimedSteps timed =
      bench::time_steps(*communicator, seconds, [&] { learner.step(step++, next, meter); });
  if (communicator->is_root())
    std::printf("tokens_per_second %.1f  median_step_ms %.2f  steps %zu  threads %d\n",
                static_cast<double>(batch.batch.rows() * communicator->size()) / timed.median,
                1e3 * timed.median, timed.count, placement.threads);
  return 0;
}

int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024 * usage.ru_maxrss;
}

/// Beyond features, weight and their gradients.
int measure_loss(const bench::Arguments& arguments) {
  const int64_t sentences = std::stoll(arguments.at(1, "40")), classes = std::stoll(arguments.at(2, "32000"));
  const data::TextDataset text(std::make_shared<RandomPairs>(sentences, classes));
  int64_t rows = 0;
  for (int64_t i = 0; i < sentences; ++i) rows += text.rows(i);
  const at::Tensor features = at::randn({rows, 512}).to(at::kBFloat16).requires_grad_(true),
                   weight = at::randn({classes, 512}).requires_grad_(true);
  features.mutable_grad() = at::zeros_like(features);
  weight.mutable_grad() = at::zeros_like(weight);
  const at::Tensor labels = at::randint(classes, {rows}, at::kLong);
  trainer::TargetOptions smoothed;
  smoothed.alpha = 0.1;
  const trainer::SoftTargets targets = trainer::make_soft_targets(smoothed, at::ones({classes}, at::kLong));
  const at::Tensor small = at::randn({64, 64}).to(at::kBFloat16);
  at::matmul(small, small);
  const int64_t before = peak_bytes();
  torch::autograd::backward({trainer::classifier_loss(features, weight, labels, targets).loss}, {});
  std::printf("loss_megabytes %.1f  rows %lld  vocabulary %lld\n",
              static_cast<double>(peak_bytes() - before) / 1e6, static_cast<long long>(rows),
              static_cast<long long>(classes));
  return 0;
}

int measure(const bench::Arguments& arguments) {
  return arguments.at(0, "") == "loss" ? measure_loss(arguments) : measure_training(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
