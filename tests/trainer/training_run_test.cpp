#include "trainer/training_run.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "cluster/error.h"
#include "data/batch_stream.h"
#include "data/digest.h"
#include "models/safetensors.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"
#include "trainer/checkpoint.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/loaded_run.h"
#include "trainer/run_parts.h"
#include "trainer/run_plan.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

class TrainingRunSolo : public testing::Test {
 protected:
  TrainingRunSolo() { use_one_core(); }
  RunOutcome run(const Recipe& recipe, const std::string& name, bool resume = false) {
    return run_to_end(recipe, folder / name, resume, *communicator, *files);
  }
  std::vector<nlohmann::json> metrics(const std::string& name) const {
    std::vector<nlohmann::json> lines;
    for (const auto& line : timeless_metrics(folder / name)) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::unique_ptr<cluster::Communicator> communicator = cluster::make_solo_communicator();
  cluster::Log log{0, true};
};

TEST_F(TrainingRunSolo, LearnsAndLeavesWhatItPromises) {
  Recipe recipe = small_recipe();
  recipe.train.steps = 60;
  recipe.model.dropout = 0;
  recipe.task.augment = {};  // few, unvaried images: these a small network learns by heart
  recipe.checkpoint.every = 20;
  EXPECT_EQ(run(recipe, "run"), RunOutcome::finished);
  EXPECT_EQ(files->list(folder / "run"),
            (std::vector<std::string>{".lock", "checkpoints", "log.txt", "logits", "metrics.jsonl",
                                      "recipe.yaml", "summary.json"}));
  EXPECT_EQ(checkpoint_steps(*files, folder / "run/checkpoints"), (std::vector<int64_t>{40, 60}));
  const auto lines = metrics("run");
  double first_loss = -1, last_loss = -1;
  int evaluations = 0;
  for (const auto& line : lines) {
    if (line.contains("split")) {
      ++evaluations;
      EXPECT_EQ(line["rows"], 21);
      continue;
    }
    if (first_loss < 0) first_loss = line["loss"];
    last_loss = line["loss"];
    EXPECT_GT(line["grad_norm"].get<double>(), 0);
  }
  EXPECT_EQ(evaluations, 8);  // steps 8, 16, …, 56 and the last
  EXPECT_LT(last_loss, 0.8 * first_loss);
  EXPECT_EQ(lines[0]["step"], 3);
  EXPECT_DOUBLE_EQ(lines[0]["epoch"], 3 * 13 / 69.0);
  EXPECT_DOUBLE_EQ(lines[0]["lr"], recipe.optimizer.lr);  // the third step ends the warm-up
}

TEST_F(TrainingRunSolo, WindowsCoverEveryRowOnce) {
  Recipe every_step = small_recipe(), windows = small_recipe();
  every_step.train.log_every = 1;
  run(every_step, "a");
  run(windows, "b");
  std::vector<double> losses;
  for (const auto& line : metrics("a"))
    if (!line.contains("split")) losses.push_back(line["loss"]);
  ASSERT_EQ(losses.size(), 20U);
  for (const auto& line : metrics("b")) {
    if (line.contains("split")) continue;
    const size_t end = line["step"], begin = (end - 1) / 3 * 3;
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += losses[i];
    EXPECT_NEAR(line["loss"].get<double>(), sum / static_cast<double>(end - begin), 1e-12);
  }
}

// TF-slim's Inception recipe: a factor every two epochs, of 69 samples here, at any batch.
TEST_F(TrainingRunSolo, LowersTheRateByEpochs) {
  Recipe recipe = small_recipe();
  recipe.optimizer.name = "rmsprop";
  recipe.optimizer.nesterov = false;
  recipe.optimizer.epsilon = 1;
  recipe.optimizer.epsilon_inside = true;
  recipe.schedule = {};
  recipe.schedule.name = "exponential";
  recipe.schedule.unit = "epochs";
  recipe.schedule.every = 2;
  recipe.schedule.factor = 0.94;
  recipe.schedule.staircase = true;
  recipe.train.steps = 0;
  recipe.train.epochs = 5;
  recipe.train.log_every = 1;
  for (const int64_t batch : {13, 23}) {
    recipe.train.global_batch = batch;
    const std::string name = std::to_string(batch);
    ASSERT_EQ(run(recipe, name), RunOutcome::finished);
    int64_t step = 0;
    for (const auto& line : metrics(name)) {
      if (line.contains("split")) continue;
      const int64_t stairs = step++ * batch / (2 * 69);
      EXPECT_DOUBLE_EQ(line["lr"], 0.05 * std::pow(0.94, static_cast<double>(stairs))) << step;
    }
    EXPECT_EQ(step, (5 * 69 + batch - 1) / batch);
  }
}

TEST_F(TrainingRunSolo, GoesOnBitwiseAfterEveryCheckpoint) {
  for (const Recipe& whole : {small_recipe(), small_resnet_recipe()}) {
    const std::string reference = "whole-" + whole.model.name;
    run(whole, reference);
    for (int64_t stop = 1; stop < whole.train.steps; stop += 3) {
      // A run cut short: its last checkpoints are gone, as if it had died before they were written.
      const std::string name = whole.model.name + std::to_string(stop);
      Recipe part = whole;
      part.checkpoint.every = stop;
      part.checkpoint.keep = 1000;
      run(part, name);
      for (const int64_t step : checkpoint_steps(*files, folder / (name + "/checkpoints")))
        if (step > stop) files->remove_all(folder / (name + "/checkpoints/" + checkpoint_name(step)));
      EXPECT_EQ(run(whole, name, true), RunOutcome::finished);
      expect_same_runs(folder / reference, folder / name, whole.train.steps);
    }
  }
}

TEST_F(TrainingRunSolo, NeitherCheckpointsNorEvaluationsChangeTheRun) {
  Recipe with = small_resnet_recipe(), without = small_resnet_recipe();
  with.checkpoint.every = with.evaluate.every = 1;
  without.checkpoint.every = without.evaluate.every = 0;
  run(with, "with");
  run(without, "without");
  const auto weights = [&](const std::string& name) {
    return files->read(folder / (name + "/checkpoints/step-8/optimizer.safetensors"));
  };
  EXPECT_EQ(weights("with"), weights("without"));
}

TEST_F(TrainingRunSolo, RefusesAFolderThatHoldsARun) {
  run(small_recipe(), "run");
  const std::string before = files->read(folder / "run/metrics.jsonl");
  EXPECT_THROW(run(small_recipe(), "run"), UsageError);
  Recipe other = small_recipe();
  other.train.seed = 2;
  EXPECT_THROW(run(other, "run", true), UsageError);
  EXPECT_EQ(files->read(folder / "run/metrics.jsonl"), before);
  EXPECT_EQ(run(small_recipe(), "run", true), RunOutcome::finished);  // nothing left to do
  EXPECT_EQ(files->read(folder / "run/metrics.jsonl"), before);
}

TEST_F(TrainingRunSolo, LeavesNoFolderForARecipeThatIsRefused) {
  Recipe recipe = small_recipe();
  recipe.optimizer.groups = {{"no-such-parameter", 1, -1}};
  EXPECT_THROW(run(recipe, "run"), UsageError);
  EXPECT_FALSE(files->exists(folder / "run"));
}

TEST_F(TrainingRunSolo, ResumesFromScratchWhereThereIsNothing) {
  EXPECT_EQ(run(small_recipe(), "resumed", true), RunOutcome::finished);
  EXPECT_EQ(run(small_recipe(), "fresh"), RunOutcome::finished);
  expect_same_runs(folder / "fresh", folder / "resumed", 20);
}

TEST_F(TrainingRunSolo, CanBeMadeLonger) {
  Recipe recipe = small_recipe();
  recipe.schedule = {};
  Recipe longer = recipe;
  longer.train.steps = 30;
  recipe.evaluate.every = longer.evaluate.every = 10;
  recipe.train.log_every = longer.train.log_every = 5;
  run(recipe, "run");
  run(longer, "run", true);
  run(longer, "whole");
  expect_same_runs(folder / "whole", folder / "run", 30);
}

TEST_F(TrainingRunSolo, StopsWithACheckpointWhenAsked) {
  for (const auto& [signal, outcome] :
       {std::pair{SIGINT, RunOutcome::stopped}, {SIGUSR2, RunOutcome::requeue}}) {
    const std::string name = "stopped-" + std::to_string(signal);
    {
      RunOptions options;
      options.folder = folder / name;
      TrainingRun stopped(small_recipe(), options, *communicator, *files, log);
      const cluster::StopSignal stop;
      std::raise(signal);
      EXPECT_EQ(stopped.train(stop), outcome);
      EXPECT_EQ(stopped.step(), 1);
    }
    EXPECT_EQ(checkpoint_steps(*files, folder / (name + "/checkpoints")), (std::vector<int64_t>{1}));
    EXPECT_EQ(run(small_recipe(), name, true), RunOutcome::finished);
    if (!files->exists(folder / "whole")) run(small_recipe(), "whole");
    expect_same_runs(folder / "whole", folder / name, 20);
  }
}

TEST_F(TrainingRunSolo, SaysWhenItGoesOnWithAnotherNumberOfThreads) {
  Recipe recipe = small_recipe();
  recipe.train.steps = 8;
  recipe.schedule.name = "constant";
  for (const int threads : {1, 1, 2}) {
    RunOptions options;
    options.folder = folder / "run";
    options.resume = true;
    options.placement.threads = threads;
    TrainingRun(recipe, options, *communicator, *files, log).train(cluster::StopSignal());
    recipe.train.steps += 4;
  }
  const std::string told = files->read(folder / "run/log.txt");
  const std::string change = "resumed after step 12 on 2 threads instead of 1: ";
  EXPECT_NE(told.find("resumed after step 8\n"), std::string::npos) << told;
  EXPECT_NE(told.find(change), std::string::npos) << told;
}

// A stop request comes with little time: the checkpoint first, the evaluation in the next sitting, and what
// is left is what an uninterrupted run leaves.
TEST_F(TrainingRunSolo, SavesBeforeADueEvaluationWhenAskedToStop) {
  const auto sit = [&](const Recipe& recipe, const std::string& name, bool resume) {
    RunOptions options;
    options.folder = folder / name;
    options.resume = resume;
    options.quiet = true;
    TrainingRun stopped(recipe, options, *communicator, *files, log);
    const cluster::StopSignal stop;
    std::raise(SIGUSR2);
    EXPECT_EQ(stopped.train(stop), RunOutcome::requeue);
    EXPECT_FALSE(stopped.evaluation());
    EXPECT_EQ(stopped.step(), 1);
  };
  for (const int64_t steps : {6, 1}) {  // of 1, the step is the last one
    Recipe recipe = small_recipe();
    recipe.evaluate.every = 1;
    recipe.train.log_every = 1;
    recipe.train.steps = steps;
    const std::string whole = "whole-" + std::to_string(steps), name = "run-" + std::to_string(steps);
    run(recipe, whole);
    sit(recipe, name, false);
    ASSERT_EQ(metrics(name).size(), 1U);
    EXPECT_FALSE(metrics(name)[0].contains("split"));
    const auto state = nlohmann::json::parse(files->read(folder / (name + "/checkpoints/step-1/state.json")));
    EXPECT_EQ(state["evaluation_pending"], true);
    sit(recipe, name, true);  // asked again before the evaluation: it waits on
    EXPECT_EQ(metrics(name).size(), 1U);
    // Died after the evaluation, before the next checkpoint: its line is written anew, not twice.
    const std::string written = files->read(folder / (name + "/metrics.jsonl"));
    cluster::write_file_whole(*files, folder / (name + "/metrics.jsonl"),
                              written + "{\"step\": 1, \"split\": \"validation\", \"rows\": 21}\n");
    EXPECT_EQ(run(recipe, name, true), RunOutcome::finished);
    expect_same_runs(folder / whole, folder / name, steps);
  }
}

TEST_F(TrainingRunSolo, KeepsLaterCheckpointsThatItDoesNotKnowToBeDamaged) {
  run(small_recipe(), "run");
  files->remove_all(folder / "run/recipe.yaml");
  EXPECT_THROW(run(small_recipe(), "run", true), UsageError);
  EXPECT_EQ(checkpoint_steps(*files, folder / "run/checkpoints"), (std::vector<int64_t>{16, 20}));
  EXPECT_EQ(metrics("run").back()["step"], 20);
}

TEST_F(TrainingRunSolo, PassesOverADamagedCheckpoint) {
  run(small_recipe(), "whole");
  Recipe part = small_recipe();
  run(part, "run");
  // The newest, of step 20, is damaged; the run goes on from step 16 and ends as it would have.
  files->truncate(folder / "run/checkpoints/step-20/weights.safetensors", 100);
  EXPECT_EQ(run(part, "run", true), RunOutcome::finished);
  expect_same_runs(folder / "whole", folder / "run", 20);
}

TEST_F(TrainingRunSolo, EndsWhereTheLossIsNotFinite) {
  Recipe recipe = small_recipe();
  recipe.optimizer.clip_norm = 0;
  recipe.schedule = {};
  recipe.schedule.name = "step";  // all is well until the rate rises without bounds
  recipe.schedule.at = {6};
  recipe.schedule.factor = 1e30;
  try {
    run(recipe, "run");
    FAIL() << "a loss that is not finite was taken";
  } catch (const RunError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("step"), std::string::npos) << text;
    // Resuming with another rate, which this used to advise, is refused.
    EXPECT_NE(text.find("start another run"), std::string::npos) << text;
  }
  const auto found = find_newest_checkpoint(*files, folder / "run/checkpoints", log);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 4);
}

TEST_F(TrainingRunSolo, EndsWithOneErrorOnAFullDisk) {
  test::FaultyFileSystem counting(files);
  run_to_end(small_recipe(), folder / "whole", false, *communicator, counting);
  const int operations = counting.operations();
  // Some operations of each part of a run; each operation of one checkpoint is struck by the writer's tests.
  for (int operation = 2; operation <= operations; operation += 13) {
    const std::string name = "full-" + std::to_string(operation);
    test::FaultyFileSystem faulty(files);
    faulty.fail_at(operation, test::Fault::no_space);
    bool failed = false;
    try {
      run_to_end(small_recipe(), folder / name, false, *communicator, faulty);
    } catch (const EnvironmentError& error) {
      failed = true;
      EXPECT_FALSE(error.remedy().empty());
    }
    EXPECT_EQ(failed, faulty.has_failed()) << "operation " << operation;
    EXPECT_EQ(run(small_recipe(), name, true), RunOutcome::finished) << "operation " << operation;
    expect_same_runs(folder / "whole", folder / name, 20);
  }
}

TEST_F(TrainingRunSolo, IsLoadedWithItsAverages) {
  run(small_recipe(), "run");
  const auto averaged = load_run(folder / "run", {}, *files, log);
  EXPECT_EQ(averaged.step, 20);
  EXPECT_TRUE(averaged.averaged);
  EXPECT_EQ(averaged.recipe.targets.alpha, 0.1);
  LoadOptions raw;
  raw.averages = false;
  raw.step = 16;
  const auto last = load_run(folder / "run", raw, *files, log);
  EXPECT_EQ(last.step, 16);
  EXPECT_FALSE(last.averaged);
  const auto file = models::read_safetensors(*files, folder / "run/checkpoints/step-16/weights.safetensors");
  EXPECT_TRUE(at::equal(last.network->parameters()[0].value, file.find(last.network->parameters()[0].name)));
  EXPECT_EQ(file.metadata.at("convention"), "uniform");
  EXPECT_EQ(file.metadata.at("alpha"), "0.1");
  EXPECT_EQ(file.metadata.at("network"), "mlp");
  EXPECT_EQ(file.metadata.at("classes"), "4");
  EXPECT_EQ(file.metadata.at("input"), "3x32x32");
  raw.step = 17;
  EXPECT_THROW(load_run(folder / "run", raw, *files, log), UsageError);
  EXPECT_THROW(load_run(folder / "nothing", {}, *files, log), DataError);
}

TEST_F(TrainingRunSolo, IsLoadedWithTheMeanOfItsLastCheckpoints) {
  run(small_recipe(), "run");
  LoadOptions options;
  options.averages = false;
  options.last = 2;
  const auto mean = load_run(folder / "run", options, *files, log);
  EXPECT_EQ(mean.step, 20);
  EXPECT_TRUE(mean.averaged);
  ASSERT_EQ(mean.weights.size(), 2U);
  EXPECT_THAT(mean.weights[1], testing::EndsWith("step-16/weights.safetensors"));
  const auto of_step = [&](size_t i) { return models::read_safetensors(*files, mean.weights[i]); };
  const auto last = of_step(0), before = of_step(1);
  for (const auto& parameter : mean.network->parameters()) {
    const at::Tensor a = last.find(parameter.name), b = before.find(parameter.name);
    EXPECT_FALSE(at::equal(a, b)) << parameter.name;
    EXPECT_LT((parameter.value - (a + b) / 2).abs().max().item<float>(), 1e-7) << parameter.name;
  }
  EXPECT_NE(weights_digest(mean), data::file_digest(mean.weights[0], "sha256"));
  options.last = 100;
  EXPECT_THROW(load_run(folder / "run", options, *files, log), UsageError);
  options.last = 1;
  const auto single = load_run(folder / "run", options, *files, log);
  EXPECT_EQ(weights_digest(single), data::file_digest(mean.weights[0], "sha256"));
}

// An error of a checkpoint that does not fit names its folder and both shapes.
TEST_F(TrainingRunSolo, NamesTheCheckpointWhoseWeightsDoNotFit) {
  run(small_recipe(), "run");
  const std::string checkpoint = folder / "run/checkpoints/step-20";
  Recipe wider = small_recipe();
  wider.model.hidden = {25};
  cluster::write_file_whole(*files, folder / "run/recipe.yaml", resolved_recipe(wider));
  const auto expect_named = [&](const auto& call) {
    try {
      call();
      ADD_FAILURE() << "weights of another network were taken";
    } catch (const DataError& error) {
      const std::string text = error.what();
      for (const std::string& part : {checkpoint, std::string("[24, 3072]"), std::string("[25, 3072]")})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  };
  expect_named([&] { load_run(folder / "run", {}, *files, log); });
  expect_named([&] { run(wider, "run", true); });
}

TEST(TrainingRunPlan, CountsTheRanksOwnStatisticsInACheckpoint) {
  Recipe recipe = small_resnet_recipe();
  const RunPlan alone = plan_run(recipe, 1), three = plan_run(recipe, 3);
  // resnet8: seven normalisations of 16, 16, 16, 32, 32, 64, 64 channels, mean and variance, and their
  // averages.
  EXPECT_EQ(three.checkpoint_bytes - alone.checkpoint_bytes, 3 * 2 * 2 * 4 * (3 * 16 + 2 * 32 + 2 * 64));
}

TEST(TrainingRunPlan, CutsABatchAsTheTrainingStreamDoes) {
  const data::Task task = open_task_of(small_recipe());
  for (const int64_t global_batch : {1, 2, 13}) {
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (int rank = 0; rank < ranks; ++rank) {
        data::TrainingStreamOptions how;
        how.global_batch.samples = global_batch;
        how.slice = {rank, ranks};
        how.prefetch = 1;
        data::TrainingStream stream(task.train, how);
        EXPECT_EQ(stream.next().batch.rows(), rank_batch(global_batch, ranks, rank));
      }
    }
  }
}

TEST(TrainingRunPlan, NotesRanksWithoutWork) {
  Recipe recipe = small_recipe();
  EXPECT_TRUE(plan_run(recipe, 2).notes.empty());
  recipe.train.global_batch = 3;
  const RunPlan plan = plan_run(recipe, 5);
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_EQ(plan.notes[0], "2 of 5 ranks have nothing to do: a global batch has 3 samples");
  EXPECT_NE(to_text(plan).find(plan.notes[0]), std::string::npos);
}

TEST(TrainingRunPlan, CountsBytesAndSlices) {
  Recipe recipe = small_recipe();
  const RunPlan plan = plan_run(recipe, 4);
  EXPECT_EQ(plan.parameters, 3072 * 24 + 24 + 24 * 4 + 4);
  EXPECT_EQ(plan.rank_batches, (std::vector<int64_t>{3, 3, 3, 4}));
  EXPECT_EQ(plan.train_samples, 69);
  EXPECT_EQ(plan.validation_samples, 21);
  EXPECT_NEAR(plan.state_bytes_per_parameter(), 16, 0.01);  // weight, gradient, momentum, average
  EXPECT_NEAR(plan.epochs, 20 * 13 / 69.0, 1e-12);
  // At least the hidden layer's activation and the dropped one, for the backward pass of each sample.
  EXPECT_GT(plan.activation_bytes, 4 * 24 * 4);
  EXPECT_LT(plan.activation_bytes, 4 * 100000);
  EXPECT_NE(to_text(plan).find("16.0 bytes a parameter"), std::string::npos) << to_text(plan);
  recipe.train.precision = "bf16";
  EXPECT_NEAR(plan_run(recipe, 1).state_bytes_per_parameter(), 18, 0.01);
}

}  // namespace
}  // namespace smoothlab::trainer
