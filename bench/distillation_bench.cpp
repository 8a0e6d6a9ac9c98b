// What a teacher costs a training step: none, live, and replayed from a file, in turns, and the teacher's
// forward pass by itself. Usage: distillation_bench [student] [teacher] [fp32|bf16] [batch] [seconds]
// [threads]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "models/weights.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"
#include "trainer/teaching.h"

namespace {

using namespace smoothlab;
using Clock = std::chrono::steady_clock;

trainer::Recipe recipe_of(const std::string& network, const std::string& precision, int64_t batch) {
  trainer::Recipe recipe;
  recipe.task.data = "generated";
  recipe.task.train_samples = 2000;
  recipe.task.test_samples = 100;
  recipe.task.augment.pad = 4;
  recipe.task.augment.crop = 32;
  recipe.task.augment.flip = true;
  recipe.task.augment.draws = 4;
  recipe.task.augment.normalize = "per_image";
  recipe.model.name = network;
  recipe.optimizer.lr = 0.01;
  recipe.optimizer.momentum = 0.9;
  recipe.train.global_batch = batch;
  recipe.train.steps = 1 << 30;
  recipe.train.precision = precision;
  recipe.train.device = "cpu";
  return recipe;
}

/// A student at work.
class Student {
 public:
  Student(const trainer::Recipe& recipe, const data::Task& task, cluster::Communicator& communicator,
          const cluster::Placement& placement, cluster::Log& log)
      : teaching_(trainer::open_teaching(recipe, task, "no run", communicator, placement,
                                         *cluster::local_file_system(), log)),
        learner_(recipe, *task.train, recipe.train.steps, communicator, placement,
                 teaching_ ? teaching_->live.get() : nullptr, nullptr),
        stream_(task.train, stream_options(recipe, teaching_.get())) {}

  void step() {
    learner_.step(
        step_++, [this] { return stream_.next(); }, meter_);
  }
  const trainer::TeacherNetwork* teacher() const { return teaching_->live.get(); }

 private:
  static data::TrainingStreamOptions stream_options(const trainer::Recipe& recipe,
                                                    const trainer::Teaching* teaching) {
    data::TrainingStreamOptions how;
    how.global_batch.samples = recipe.train.global_batch;
    how.input_type = trainer::compute_type(recipe);
    how.draws = recipe.task.augment.draws;
    if (teaching) how.companion = teaching->replayed;
    return how;
  }

  std::unique_ptr<trainer::Teaching> teaching_;
  trainer::Learner learner_;
  data::TrainingStream stream_;
  trainer::LossMeter meter_;
  int64_t step_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int measure(const bench::Arguments& arguments) {
  const std::string precision = arguments.at(2, "bf16");
  const int64_t batch = std::stoll(arguments.at(3, "64"));
  const double seconds = std::stod(arguments.at(4, "30"));
  const auto communicator = cluster::make_solo_communicator();
  auto placement = cluster::place_rank(*communicator, "cpu");
  placement.threads = std::stoi(arguments.at(5, std::to_string(placement.threads)));
  cluster::apply(placement);
  cluster::Log log(0, true);

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "smoothlab-distillation-bench";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string weights = (folder / "teacher.safetensors").string();
  const trainer::Recipe teacher = recipe_of(arguments.at(1, "resnet20"), precision, batch);
  trainer::Recipe alone = recipe_of(arguments.at(0, "alexnet_tutorial"), precision, batch);
  const data::Task task = trainer::open_task_of(alone);
  const auto network = trainer::make_network_of(teacher, *task.train);
  models::write_safetensors(*cluster::local_file_system(), weights,
                            {models::tensors_of(*network),
                             models::weights_metadata(trainer::network_options(teacher, *task.train))});
  trainer::Recipe live = alone;
  live.teacher.loss = "paper";
  live.teacher.run = weights;
  live.teacher.temperature = 4;
  trainer::Recipe replay = live;
  replay.teacher.logits = (folder / "teacher.h5").string();

  Student without(alone, task, *communicator, placement, log),
      taught(live, task, *communicator, placement, log),
      replayed(replay, task, *communicator, placement, log);
  std::vector<data::SampleAddress> samples;
  for (int64_t i = 0; i < batch; ++i) samples.push_back({i, 0});
  data::Batch inputs = task.train->collate(samples, data::Augment::training);
  inputs.inputs[0] = inputs.inputs[0].to(trainer::compute_type(live));

  const std::vector<std::function<void()>> works = {[&] { without.step(); }, [&] { taught.step(); },
                                                    [&] { replayed.step(); },
                                                    [&] { taught.teacher()->logits(inputs.inputs); }};
  std::vector<std::vector<double>> times(works.size());
  for (int warm = 0; warm < 3; ++warm)
    for (const auto& work : works) work();
  for (const auto start = Clock::now();
       std::chrono::duration<double>(Clock::now() - start).count() < seconds;)
    for (size_t i = 0; i < works.size(); ++i) {
      const auto begin = Clock::now();
      works[i]();
      times[i].push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
  std::filesystem::remove_all(folder);
  // Ratios are taken within a round, so that a machine that slows down does not tilt them.
  std::vector<double> live_ratios, replay_ratios;
  for (size_t round = 0; round < times[0].size(); ++round) {
    live_ratios.push_back(times[1][round] / (times[0][round] + times[3][round]));
    replay_ratios.push_back(times[0][round] / times[2][round]);
  }
  std::printf("student %s, teacher %s, %s, batch %lld, %d threads, medians of %zu\n",
              alone.model.name.c_str(), teacher.model.name.c_str(), precision.c_str(),
              static_cast<long long>(batch), placement.threads, times[0].size());
  std::printf(
      "step %.2f ms, teacher's forward pass %.2f ms, step with live teacher %.2f ms, replayed %.2f ms\n",
      1e3 * median(times[0]), 1e3 * median(times[3]), 1e3 * median(times[1]), 1e3 * median(times[2]));
  std::printf("live / (step + forward) %.3f   speed of replay %.3f of training without a teacher\n",
              median(live_ratios), median(replay_ratios));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
