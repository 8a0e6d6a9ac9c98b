#include "trainer/choosing_run.h"

#include <gtest/gtest.h>

#include "cluster/error.h"
#include "eval/logit_file.h"
#include "support/ranks.h"
#include "support/temporary_folder.h"
#include "trainer/rank_agreement.h"
#include "trainer/run_summary.h"

namespace smoothlab::trainer {
namespace {

class ChoosingRunMpi : public testing::Test {
 protected:
  ChoosingRunMpi() {
    use_one_core();
    path = text_from_root(ranks, [this] { return folder.path(); });
  }
  std::vector<float> logits(const std::string& file) const {
    const eval::LogitFile logits(path + "/" + file);
    std::vector<float> values(static_cast<size_t>(logits.rows() * logits.classes()));
    logits.read_logits(0, logits.rows(), values.data());
    return values;
  }

  cluster::Communicator& ranks = test::ranks();
  const test::TemporaryFolder folder;
  std::string path;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST_F(ChoosingRunMpi, ChoosesWhatItsMetricsSayOnAnyRanks) {
  for (Recipe recipe : {choosing_recipe("nll"), choosing_resnet_recipe("accuracy")}) {
    recipe.logits.splits = {"validation"};
    recipe.logits.every = recipe.evaluate.every;
    const std::string name = recipe.model.name, run = path + "/" + name;
    ASSERT_EQ(run_to_end(recipe, run, false, ranks, *files), RunOutcome::finished);
    if (ranks.is_root()) {
      const int64_t step = best_line(run, recipe.checkpoint.best)["step"];
      EXPECT_EQ(read_summary(*files, run)->standing_step(), step) << name;
      EXPECT_EQ(files->read(run + "/checkpoints/best"), checkpoint_name(step) + "\n");
      // The network of the end is the one of then, statistics averaged over ranks among it.
      const bool early = step < recipe.train.steps;
      EXPECT_EQ(logits(name + "/logits/validation.h5"),
                logits(name + "/logits/" + (early ? checkpoint_name(step) + "-" : "") + "validation.h5"));
      EXPECT_TRUE(early || name != "mlp") << "the case that matters";
    }
    ranks.barrier();
  }
}

TEST_F(ChoosingRunMpi, GoesOnBitwiseFromBeforeAndAfterTheBest) {
  for (Recipe whole : {choosing_recipe("accuracy"), choosing_resnet_recipe("nll")}) {
    whole.checkpoint.keep = 1000;  // so that all are compared
    const std::string reference = path + "/whole-" + whole.model.name;
    run_to_end(whole, reference, false, ranks, *files);
    for (const int64_t stop : {2, 3, 6, 8}) {
      const std::string run = path + "/" + whole.model.name + std::to_string(stop);
      run_to_end(whole, run, false, ranks, *files);
      on_root(ranks, [&] {
        for (const int64_t step : checkpoint_steps(*files, run + "/checkpoints"))
          if (step > stop) files->remove_all(run + "/checkpoints/" + checkpoint_name(step));
      });
      ASSERT_EQ(run_to_end(whole, run, true, ranks, *files), RunOutcome::finished);
      if (ranks.is_root()) expect_same_choices(reference, run);
      ranks.barrier();
    }
  }
}

// Rank 0 alone knows that the best checkpoint is gone when the run has ended; all end with its error.
TEST_F(ChoosingRunMpi, ThrowsOnEveryRankWhereTheBestIsGone) {
  Recipe recipe = choosing_recipe("nll");
  run_to_end(recipe, path + "/run", false, ranks, *files);
  on_root(ranks, [&] {
    files->remove_all(path + "/run/checkpoints/" + checkpoint_name(best_line(path + "/run", "nll")["step"]));
  });
  recipe.train.steps = 24;
  EXPECT_THROW(run_to_end(recipe, path + "/run", true, ranks, *files), DataError);
  ranks.barrier();
}

}  // namespace
}  // namespace smoothlab::trainer
