#include "trainer/choosing_run.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "cluster/error.h"
#include "data/digest.h"
#include "eval/calibration.h"
#include "eval/logit_file.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"
#include "trainer/loaded_run.h"
#include "trainer/packed_runs.h"
#include "trainer/run_plan.h"
#include "trainer/run_summary.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

class ChoosingRun : public testing::Test {
 protected:
  ChoosingRun() { use_one_core(); }
  RunOutcome run(const Recipe& recipe, const std::string& name, bool resume = false) {
    return run_to_end(recipe, folder / name, resume, *communicator, *files);
  }
  std::vector<int64_t> steps(const std::string& name) const {
    return checkpoint_steps(*files, folder / (name + "/checkpoints"));
  }
  eval::CalibrationSums sums_of(const std::string& path) const {
    const eval::LogitFile file(path);
    std::vector<float> logits(static_cast<size_t>(file.rows() * file.classes()));
    std::vector<int64_t> labels(static_cast<size_t>(file.rows()));
    file.read_logits(0, file.rows(), logits.data());
    file.read_labels(0, file.rows(), labels.data());
    eval::CalibrationSums sums;
    eval::accumulate_calibration(logits.data(), labels.data(), file.rows(), file.classes(), 1.0, sums);
    return sums;
  }
  std::string step_in(const std::string& path) const { return eval::LogitFile(path).attribute("step"); }

  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::unique_ptr<cluster::Communicator> communicator = cluster::make_solo_communicator();
  cluster::Log log{0, true};
};

TEST_F(ChoosingRun, KeepsItsBestCheckpointAndIsJudgedByIt) {
  for (const std::string metric : {"accuracy", "nll", "brier"}) {
    Recipe recipe = choosing_recipe(metric);
    recipe.logits.splits = {"validation", "test"};
    recipe.logits.at = {6};
    ASSERT_EQ(run(recipe, metric), RunOutcome::finished);
    const auto best = best_line(folder / metric, metric);
    const int64_t step = best["step"];
    ASSERT_LT(step, 20) << "the case that matters";
    EXPECT_EQ(steps(metric), (std::vector<int64_t>{step, 20}));
    EXPECT_EQ(files->read(folder / (metric + "/checkpoints/best")), checkpoint_name(step) + "\n");
    const auto summary = read_summary(*files, folder / metric);
    ASSERT_TRUE(summary && summary->best && summary->evaluation);
    EXPECT_EQ(summary->step, 20);
    EXPECT_EQ(summary->best->metric, metric);
    EXPECT_EQ(summary->best->step, step);
    EXPECT_EQ(summary->standing_step(), step);
    EXPECT_EQ(summary->evaluation->step, step);
    EXPECT_EQ(summary->evaluation->nll, best["nll"].get<double>());
    EXPECT_THAT(files->read(folder / (metric + "/log.txt")),
                HasSubstr("the best by " + metric + " is step " + std::to_string(step) + "\n"));

    const auto loaded = load_run(folder / metric, {}, *files, log);
    EXPECT_EQ(loaded.step, step);
    EXPECT_EQ(loaded.best, metric);
    EXPECT_TRUE(loaded.averaged);
    const std::string logits = folder / (metric + "/logits/");
    EXPECT_EQ(files->list(logits), (std::vector<std::string>{"step-6-test.h5", "step-6-validation.h5",
                                                             "test.h5", "validation.h5"}));
    for (const char* split : {"validation.h5", "test.h5"})
      EXPECT_EQ(step_in(logits + split), std::to_string(step));
    EXPECT_EQ(step_in(logits + "step-6-test.h5"), "6");
    // Bit for bit what the evaluation of that step saw, averages of the weights as they were.
    const auto sums = sums_of(logits + "validation.h5");
    EXPECT_EQ(sums.accuracy(), best["accuracy"].get<double>());
    EXPECT_NEAR(sums.mean_nll(), best["nll"].get<double>(), 1e-12);
  }
}

// Running statistics are part of what is averaged and kept: loaded again, the network gives what it gave.
TEST_F(ChoosingRun, GivesTheSameRowsAgainWithRunningStatistics) {
  Recipe recipe = choosing_resnet_recipe("nll");
  recipe.train.steps = 9;
  recipe.evaluate.every = 3;
  recipe.checkpoint.every = 100;
  recipe.logits.splits = {"validation"};
  recipe.logits.every = 3;
  recipe.schedule.name = "step";
  recipe.schedule.at = {6};
  recipe.schedule.factor = 30;
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  const int64_t step = best_line(folder / "run", "nll")["step"];
  ASSERT_LT(step, 9);
  const std::string logits = folder / "run/logits/";
  const eval::LogitFile then(logits + checkpoint_name(step) + "-validation.h5"),
      end(logits + "validation.h5");
  ASSERT_EQ(then.rows(), end.rows());
  std::vector<float> a(static_cast<size_t>(then.rows() * then.classes())), b(a.size());
  then.read_logits(0, then.rows(), a.data());
  end.read_logits(0, end.rows(), b.data());
  EXPECT_EQ(a, b);
}

TEST_F(ChoosingRun, IsJudgedByItsLastStepWhereThatIsTheBest) {
  Recipe recipe = choosing_recipe("nll");
  recipe.schedule = {};
  recipe.model.dropout = 0;
  recipe.task.augment = {};
  recipe.logits.splits = {"validation"};
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  ASSERT_EQ(best_line(folder / "run", "nll")["step"], 20) << "the case that matters";
  EXPECT_EQ(steps("run"), std::vector<int64_t>{20});
  EXPECT_EQ(read_summary(*files, folder / "run")->standing_step(), 20);
  EXPECT_EQ(step_in(folder / "run/logits/validation.h5"), "20");
}

TEST_F(ChoosingRun, KeepsTheEarlierOfEquals) {
  Recipe recipe = choosing_recipe("accuracy");
  recipe.optimizer.lr = 1e-9;  // nothing changes
  recipe.schedule = {};
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  EXPECT_EQ(steps("run"), (std::vector<int64_t>{2, 20}));
}

TEST_F(ChoosingRun, LearnsAsItWouldWithoutChoosing) {
  Recipe plain = choosing_recipe("none");
  ASSERT_EQ(run(choosing_recipe("nll"), "choosing"), RunOutcome::finished);
  ASSERT_EQ(run(plain, "plain"), RunOutcome::finished);
  EXPECT_EQ(timeless_metrics(folder / "choosing"), timeless_metrics(folder / "plain"));
  for (const char* file : {"optimizer", "average"}) {
    const std::string name = std::string("/checkpoints/step-20/") + file + ".safetensors";
    const auto a = models::read_safetensors(*files, folder / ("choosing" + name));
    const auto b = models::read_safetensors(*files, folder / ("plain" + name));
    for (const auto& [tensor, value] : a.tensors) EXPECT_TRUE(at::equal(value, b.find(tensor))) << tensor;
  }
  EXPECT_FALSE(files->exists(folder / "plain/checkpoints/best"));
  EXPECT_EQ(resolved_recipe(plain).find("best"), std::string::npos) << "hashes stay what they were";
}

TEST_F(ChoosingRun, GoesOnBitwiseFromEveryCheckpoint) {
  for (Recipe whole : {choosing_recipe("accuracy"), choosing_resnet_recipe("nll")}) {
    whole.checkpoint.keep = 1000;  // so that all are compared
    const std::string reference = "whole-" + whole.model.name;
    ASSERT_EQ(run(whole, reference), RunOutcome::finished);
    for (int64_t stop = 1; stop < whole.train.steps; stop += 3) {
      // Cut short as if it had died before later checkpoints were written, before and after the best one.
      const std::string name = whole.model.name + std::to_string(stop);
      ASSERT_EQ(run(whole, name), RunOutcome::finished);
      for (const int64_t step : steps(name))
        if (step > stop) files->remove_all(folder / (name + "/checkpoints/" + checkpoint_name(step)));
      ASSERT_EQ(run(whole, name, true), RunOutcome::finished);
      expect_same_choices(folder / reference, folder / name);
    }
  }
}

// Where a request to stop comes first, the evaluation and the choice are left to the next sitting, which
// writes the checkpoint of that step again if it is the best.
TEST_F(ChoosingRun, ChoosesInTheNextSittingWhatWasPending) {
  Recipe recipe = choosing_recipe("nll");
  recipe.evaluate.every = 1;
  recipe.checkpoint.every = 100;
  recipe.checkpoint.keep = 2;
  ASSERT_EQ(run(recipe, "whole"), RunOutcome::finished);
  {
    RunOptions options;
    options.folder = folder / "run";
    TrainingRun stopped(recipe, options, *communicator, *files, log);
    const cluster::StopSignal stop;
    std::raise(SIGUSR2);
    ASSERT_EQ(stopped.train(stop), RunOutcome::requeue);
    EXPECT_FALSE(stopped.evaluation());
  }
  EXPECT_FALSE(known_best(*files, folder / "run/checkpoints/step-1"));
  EXPECT_FALSE(files->exists(folder / "run/checkpoints/best"));
  ASSERT_EQ(run(recipe, "run", true), RunOutcome::finished);
  expect_same_choices(folder / "whole", folder / "run");
}

TEST_F(ChoosingRun, OutlivesAFullDisk) {
  Recipe recipe = choosing_recipe("accuracy");
  recipe.logits.splits = {"test"};
  test::FaultyFileSystem counting(files);
  run_to_end(recipe, folder / "whole", false, *communicator, counting);
  for (int operation = 5; operation <= counting.operations(); operation += 23) {
    const std::string name = "full-" + std::to_string(operation);
    test::FaultyFileSystem faulty(files);
    faulty.fail_at(operation, test::Fault::no_space);
    EXPECT_THROW(run_to_end(recipe, folder / name, false, *communicator, faulty), EnvironmentError);
    ASSERT_EQ(run(recipe, name, true), RunOutcome::finished) << "operation " << operation;
    expect_same_choices(folder / "whole", folder / name);
    EXPECT_EQ(step_in(folder / (name + "/logits/test.h5")), step_in(folder / "whole/logits/test.h5"));
  }
}

TEST_F(ChoosingRun, NamesTheBestCheckpointThatIsDamaged) {
  const Recipe recipe = choosing_recipe("nll");
  Recipe longer = recipe;
  longer.train.steps = 24;
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  const int64_t best = best_line(folder / "run", "nll")["step"];
  ASSERT_LT(best, 20);
  const std::string checkpoint = folder / ("run/checkpoints/" + checkpoint_name(best));
  files->truncate(checkpoint + "/average.safetensors", 10);
  const auto expect_named = [&](const auto& call, const std::string& remedy) {
    try {
      call();
      ADD_FAILURE() << "nobody missed it";
    } catch (const DataError& error) {
      EXPECT_EQ(error.where(), checkpoint);
      EXPECT_THAT(error.problem(), HasSubstr("the best checkpoint, by nll, is damaged (average.safetensors"));
      EXPECT_THAT(error.remedy(), HasSubstr(remedy));
    }
  };
  expect_named([&] { load_run(folder / "run", {}, *files, log); }, "--checkpoint last");
  expect_named([&] { run(longer, "run", true); }, "--set checkpoint.best=none");
  EXPECT_EQ(steps("run"), (std::vector<int64_t>{best, 20})) << "nothing was lost";
  LoadOptions last;
  last.which = WhichCheckpoint::newest;
  EXPECT_EQ(load_run(folder / "run", last, *files, log).step, 20);
  longer.checkpoint.best = "none";
  ASSERT_EQ(run(longer, "run", true), RunOutcome::finished);
  EXPECT_EQ(load_run(folder / "run", {}, *files, log).step, 24);
  EXPECT_FALSE(read_summary(*files, folder / "run")->best);
}

TEST_F(ChoosingRun, ChoosesAnewByAnotherFigure) {
  Recipe recipe = choosing_recipe("none");
  recipe.train.steps = 12;
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  recipe.checkpoint.best = "nll";
  try {
    run(recipe, "run", true);
    ADD_FAILURE() << "a run that has ended does not choose any more";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.where(), HasSubstr("checkpoint.best"));
  }
  EXPECT_TRUE(read_summary(*files, folder / "run"));
  recipe.train.steps = 16;
  ASSERT_EQ(run(recipe, "run", true), RunOutcome::finished);
  // Of steps 14 and 16: the others' checkpoints are gone.
  double at_14 = 0, at_16 = 0;
  for (const auto& text : timeless_metrics(folder / "run")) {
    const auto line = nlohmann::json::parse(text);
    if (line.contains("split") && line["step"] == 14) at_14 = line["nll"];
    if (line.contains("split") && line["step"] == 16) at_16 = line["nll"];
  }
  EXPECT_EQ(read_summary(*files, folder / "run")->standing_step(), at_16 < at_14 ? 16 : 14);
}

TEST_F(ChoosingRun, IsLoadedAsIsAskedFor) {
  Recipe recipe = choosing_recipe("nll");
  recipe.checkpoint.keep = 2;
  ASSERT_EQ(run(recipe, "run"), RunOutcome::finished);
  const int64_t best = best_line(folder / "run", "nll")["step"];
  ASSERT_EQ(steps("run"), (std::vector<int64_t>{best, 18, 20}));
  LoadOptions wish;
  wish.which = WhichCheckpoint::best;
  EXPECT_EQ(load_run(folder / "run", wish, *files, log).step, best);
  wish.which = WhichCheckpoint::newest;
  const auto newest = load_run(folder / "run", wish, *files, log);
  EXPECT_EQ(newest.step, 20);
  EXPECT_EQ(newest.best, "");
  wish.last = 2;
  EXPECT_THAT(load_run(folder / "run", wish, *files, log).weights[1], HasSubstr("/step-18/"));
  wish.last = 3;  // the best is no neighbour of these
  EXPECT_THROW(load_run(folder / "run", wish, *files, log), UsageError);
  ASSERT_EQ(run(choosing_recipe("none"), "plain"), RunOutcome::finished);
  wish.which = WhichCheckpoint::best;
  wish.last = 1;
  EXPECT_THROW(load_run(folder / "plain", wish, *files, log), UsageError);
}

TEST_F(ChoosingRun, IsTheSameInAPack) {
  Recipe recipe = choosing_recipe("nll"), normed = choosing_resnet_recipe("accuracy");
  recipe.logits.splits = {"test"};
  const auto in_pack = [&](const Recipe& of, const std::string& name) {
    PackedRun packed{of, {}};
    packed.options.folder = folder / name;
    return packed;
  };
  const cluster::StopSignal stop;
  const auto outcomes =
      train_pack({in_pack(recipe, "a"), in_pack(normed, "b")}, *communicator, *files, log, stop);
  ASSERT_EQ(run(recipe, "alone-a"), RunOutcome::finished);
  ASSERT_EQ(run(normed, "alone-b"), RunOutcome::finished);
  expect_same_choices(folder / "alone-a", folder / "a");
  expect_same_choices(folder / "alone-b", folder / "b");
  ASSERT_TRUE(outcomes[0].evaluation);
  EXPECT_EQ(outcomes[0].evaluation->step, best_line(folder / "a", "nll")["step"]);
  EXPECT_EQ(step_in(folder / "a/logits/test.h5"), step_in(folder / "alone-a/logits/test.h5"));
}

TEST_F(ChoosingRun, IsRefusedWhereNothingIsHeldOut) {
  Recipe recipe = choosing_recipe("accuracy");
  recipe.task.validation = 0;
  const auto expect_refused = [&](const auto& call) {
    try {
      call();
      ADD_FAILURE() << "the test split has chosen";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.where(), HasSubstr("checkpoint.best"));
      EXPECT_THAT(error.problem(), HasSubstr("not chosen on the test split"));
      EXPECT_THAT(error.remedy(), HasSubstr("task.validation"));
    }
  };
  expect_refused([&] { run(recipe, "run"); });
  expect_refused([&] { plan_run(recipe, 1); });
  EXPECT_FALSE(files->exists(folder / "run"));
}

}  // namespace
}  // namespace smoothlab::trainer
