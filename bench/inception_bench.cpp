// Images a second of training Inception-v4 on a fixed random batch, to be started under mpirun beside
// peers/ddp_inception_v4.py: inception_bench [images a rank] [seconds] [threads] [fp32|bf16] [FOLDER]. In
// FOLDER it leaves what the peer needs to take the same steps: the initial weights and each rank's images.
// Losses are those of the first three steps, over all ranks.

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "cluster/device.h"
#include "data/dataset.h"
#include "models/safetensors.h"
#include "timed_steps.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"

namespace {

using namespace smoothlab;

constexpr int64_t kSide = 299, kClasses = 1000;

/// Random images; only their shape and classes are asked for.
class RandomImages final : public data::Dataset {
 public:
  explicit RandomImages(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  int64_t classes() const override { return kClasses; }
  std::vector<std::string> class_names() const override {
    return std::vector<std::string>(kClasses, "class");
  }
  int64_t rows(int64_t) const override { return 1; }
  at::Tensor class_counts() const override { return at::ones({kClasses}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {3, kSide, kSide}; }
  data::Batch collate(const std::vector<data::SampleAddress>& samples, data::Augment) const override {
    data::Batch batch;
    for (const auto& sample : samples) {
      const double phase = 1 + 0.01 * static_cast<double>(sample.sample);
      batch.inputs.push_back(at::sin(phase * at::arange(3 * kSide * kSide).pow(1.3)).view({3, kSide, kSide}));
    }
    batch.inputs = {at::stack(batch.inputs).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast)};
    batch.labels = batch.sample_ids =
        at::arange(static_cast<int64_t>(samples.size()), at::kLong) + samples.at(0).sample;
    return batch;
  }

 private:
  int64_t size_;
};

/// PAPER A.4, but for the rate, which is for a small batch.
trainer::Recipe recipe_of(const std::string& precision, int64_t global_batch) {
  trainer::Recipe recipe;
  recipe.task.data = "imagenet";
  recipe.model.name = "inception_v4";
  recipe.targets.alpha = 0.1;
  recipe.optimizer.name = "sgd";
  recipe.optimizer.lr = 0.01;
  recipe.optimizer.momentum = 0.9;
  recipe.optimizer.nesterov = true;
  recipe.optimizer.weight_decay = 8e-5;
  recipe.train.ema = 0.9999;
  recipe.train.global_batch = global_batch;
  recipe.train.steps = 1 << 30;
  recipe.train.precision = precision;
  recipe.train.device = "cpu";
  return recipe;
}

void leave(const std::string& folder, const models::Network& network, const at::Tensor& images, int rank) {
  const auto files = cluster::local_file_system();
  models::TensorFile weights;
  for (const models::Parameter& parameter : network.parameters())
    weights.tensors.emplace_back(parameter.name, parameter.value.detach().to(at::kFloat));
  if (rank == 0) models::write_safetensors(*files, folder + "/weights.safetensors", weights);
  models::write_safetensors(*files, folder + "/images" + std::to_string(rank) + ".safetensors",
                            {{{"images", images}}, {}});
}

int measure(const bench::Arguments& arguments) {
  const auto communicator = cluster::make_communicator();
  const int64_t images = std::stoll(arguments.at(0, "8"));
  const double seconds = std::stod(arguments.at(1, "30"));
  auto placement = cluster::place_rank(*communicator, "cpu");
  placement.threads = std::stoi(arguments.at(2, std::to_string(placement.threads)));
  cluster::apply(placement);
  const auto recipe = recipe_of(arguments.at(3, "bf16"), images * communicator->size());
  const RandomImages train(recipe.train.global_batch);
  std::vector<data::SampleAddress> samples;
  for (int64_t i = 0; i < images; ++i) samples.push_back({images * communicator->rank() + i, 0});
  data::MicroBatch batch;
  batch.batch = train.collate(samples, data::Augment::none);
  batch.last = true;
  if (const std::string folder = arguments.at(4, ""); !folder.empty())
    leave(folder, *trainer::make_network_of(recipe, train), batch.batch.inputs.at(0), communicator->rank());

  trainer::Learner learner(recipe, train, recipe.train.steps, *communicator, placement, nullptr, nullptr);
  trainer::LossMeter meter;
  int64_t step = 0;
  const auto next = [&] { return batch; };
  std::string losses;
  for (double before = 0; step < 3; ++step) {
    learner.step(step, next, meter);
    const double sum = trainer::sum_of(trainer::gather_windows(*communicator, meter.window())).loss;
    losses += (step > 0 ? "," : "") + std::to_string((sum - before) / static_cast<double>(train.size()));
    before = sum;
  }
  const bench::TimedSteps timed =
      bench::time_steps(*communicator, seconds, [&] { learner.step(step++, next, meter); });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const int64_t kilobytes = communicator->agree_max(usage.ru_maxrss);
  if (communicator->is_root())
    std::printf(
        "images_per_second %.3f  median_step_ms %.1f  steps %zu  threads %d  peak_megabytes %.0f  parameters %lld  "
        "losses %s\n",
        static_cast<double>(recipe.train.global_batch) / timed.median, 1e3 * timed.median, timed.count,
        placement.threads, 1.024e-3 * static_cast<double>(kilobytes),
        static_cast<long long>(learner.network().parameter_count()), losses.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
