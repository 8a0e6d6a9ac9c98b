// Images a second of training steps: forward, backward, reduction over ranks, clipping, update.
// Usage: mpirun -n RANKS training_bench [network] [fp32|bf16] [batch a rank] [seconds] [fixed|stream]
// [threads] fixed: one batch over and over, so that nothing but the step is measured; stream: the data
// layer's batches, augmented and prefetched as in a run. threads: of a rank; without, its share of the cores.
// The rate is that of the slowest rank.

#include <cstdio>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "cluster/device.h"
#include "data/batch_stream.h"
#include "timed_steps.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"

namespace {

using namespace smoothlab;

trainer::Recipe recipe_of(const std::string& network, const std::string& precision, int64_t global_batch) {
  trainer::Recipe recipe;
  recipe.task.data = "generated";
  recipe.task.classes = 10;
  recipe.task.train_samples = 2000;
  recipe.task.test_samples = 100;
  recipe.task.augment.pad = 4;
  recipe.task.augment.crop = 32;
  recipe.task.augment.flip = true;
  recipe.task.augment.normalize = "per_image";
  recipe.model.name = network;
  recipe.targets.alpha = 0.1;
  recipe.optimizer.lr = 0.01;
  recipe.optimizer.momentum = 0.9;
  recipe.optimizer.nesterov = true;
  recipe.optimizer.weight_decay = 1e-4;
  recipe.train.global_batch = global_batch;
  recipe.train.steps = 1 << 30;
  recipe.train.precision = precision;
  recipe.train.device = "cpu";
  return recipe;
}

int measure(const bench::Arguments& arguments) {
  const auto communicator = cluster::make_communicator();
  const int64_t batch = std::stoll(arguments.at(2, "64"));
  const auto recipe =
      recipe_of(arguments.at(0, "resnet56"), arguments.at(1, "bf16"), batch * communicator->size());
  const double seconds = std::stod(arguments.at(3, "10"));
  const bool fixed = arguments.at(4, "fixed") == "fixed";
  auto placement = cluster::place_rank(*communicator, "cpu");
  placement.threads = std::stoi(arguments.at(5, std::to_string(placement.threads)));
  cluster::apply(placement);
  const data::Task task = trainer::open_task_of(recipe);
  trainer::Learner learner(recipe, *task.train, recipe.train.steps, *communicator, placement, nullptr,
                           nullptr);
  data::TrainingStreamOptions how;
  how.global_batch.samples = recipe.train.global_batch;
  how.slice = {communicator->rank(), communicator->size()};
  data::TrainingStream stream(task.train, how);
  const data::MicroBatch first = stream.next();
  const auto next = [&] { return fixed ? first : stream.next(); };

  trainer::LossMeter meter;
  int64_t step = 0;
  for (; step < 5; ++step) learner.step(step, next, meter);
  const bench::TimedSteps timed =
      bench::time_steps(*communicator, seconds, [&] { learner.step(step++, next, meter); });
  if (communicator->is_root()) {
    std::printf(
        "images_per_second %.1f  median_step_ms %.2f  steps %zu  threads %d  bytes_per_parameter %.1f\n",
        static_cast<double>(recipe.train.global_batch) / timed.median, 1e3 * timed.median, timed.count,
        placement.threads,
        static_cast<double>(learner.state_bytes()) /
            static_cast<double>(learner.network().parameter_count()));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
