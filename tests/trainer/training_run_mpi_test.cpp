#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "models/safetensors.h"
#include "support/faulty_file_system.h"
#include "support/ranks.h"
#include "support/temporary_folder.h"
#include "trainer/rank_agreement.h"
#include "trainer/running_statistics.h"
#include "trainer/small_run.h"
#include "trainer/training_run.h"

namespace smoothlab::trainer {
namespace {

class TrainingRunMpi : public testing::Test {
 protected:
  TrainingRunMpi() {
    use_one_core();
    // One folder for all ranks: rank 0's.
    path = text_from_root(ranks, [this] { return folder.path(); });
  }
  models::TensorFile weights(const std::string& name, int64_t step) const {
    return models::read_safetensors(
        *files, path + "/" + name + "/checkpoints/step-" + std::to_string(step) + "/weights.safetensors");
  }
  double loss_of(const std::string& line) const { return nlohmann::json::parse(line).value("loss", 0.0); }

  cluster::Communicator& ranks = test::ranks();
  const test::TemporaryFolder folder;
  std::string path;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

// A batch of 13 in parts of at most 4 over all ranks, most of them uneven, is the batch that one rank takes
// at once.
TEST_F(TrainingRunMpi, AgreesWithOneRankToRounding) {
  Recipe recipe = small_recipe();
  recipe.train.micro_batch = 4;
  run_to_end(recipe, path + "/together", false, ranks, *files);
  if (ranks.is_root()) {
    const auto solo = cluster::make_solo_communicator();
    recipe.train.micro_batch = 0;
    run_to_end(recipe, path + "/alone", false, *solo, *files);
    const auto together = weights("together", 20), alone = weights("alone", 20);
    for (const auto& [name, tensor] : alone.tensors)
      EXPECT_TRUE(at::allclose(together.find(name), tensor, 1e-4, 1e-5))
          << name << ": " << (together.find(name) - tensor).abs().max().item<float>();
    const auto a = timeless_metrics(path + "/together"), b = timeless_metrics(path + "/alone");
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(loss_of(a[i]), loss_of(b[i]), 1e-5) << i;
  }
  ranks.barrier();
}

// Running means and variances are averaged as the weights are (timm's ModelEmaV2, TF-slim's model variables):
// average ← d·average + (1−d)·value, on each rank, and over ranks in what is kept.
TEST_F(TrainingRunMpi, AveragesRunningStatisticsAsItDoesWeights) {
  Recipe recipe = small_resnet_recipe();
  recipe.train.precision = "fp32";
  recipe.train.ema = 0.75;
  recipe.checkpoint.every = 1;
  recipe.checkpoint.keep = 100;
  run_to_end(recipe, path + "/run", false, ranks, *files);
  if (ranks.is_root()) {
    const auto average = [&](int64_t step) {
      return models::read_safetensors(
          *files, path + "/run/checkpoints/step-" + std::to_string(step) + "/average.safetensors");
    };
    int statistics = 0;
    for (int64_t step = 2; step <= recipe.train.steps; ++step) {
      const auto before = average(step - 1), after = average(step), now = weights("run", step);
      ASSERT_EQ(after.tensors.size(), now.tensors.size());
      for (const auto& [name, tensor] : after.tensors) {
        statistics += name.find("running_") != std::string::npos ? 1 : 0;
        const at::Tensor expected = 0.75 * before.find(name) + 0.25 * now.find(name);
        EXPECT_TRUE(at::allclose(tensor, expected, 1e-5, 1e-6)) << name << " after step " << step;
        EXPECT_FALSE(at::equal(tensor, now.find(name))) << name;
      }
    }
    EXPECT_EQ(statistics, 14 * 7);
  }
  ranks.barrier();
}

TEST_F(TrainingRunMpi, GoesOnBitwiseMidEpochWithRunningStatistics) {
  const Recipe whole = small_resnet_recipe();
  Recipe part = whole;
  part.checkpoint.keep = 1000;
  run_to_end(whole, path + "/whole", false, ranks, *files);
  run_to_end(part, path + "/part", false, ranks, *files);
  on_root(ranks, [&] {
    for (const char* later : {"6", "8"}) files->remove_all(path + "/part/checkpoints/step-" + later);
  });
  run_to_end(whole, path + "/part", true, ranks, *files);
  if (ranks.is_root()) expect_same_runs(path + "/whole", path + "/part", 8);
  ranks.barrier();
}

TEST_F(TrainingRunMpi, GoesOnOnAnotherNumberOfRanks) {
  const Recipe whole = small_recipe();
  if (ranks.is_root()) {
    const auto solo = cluster::make_solo_communicator();
    run_to_end(whole, path + "/whole", false, *solo, *files);
    Recipe part = whole;
    part.checkpoint.keep = 1000;
    run_to_end(part, path + "/part", false, *solo, *files);
    for (const char* later : {"12", "16", "20"}) files->remove_all(path + "/part/checkpoints/step-" + later);
  }
  ranks.barrier();
  run_to_end(whole, path + "/part", true, ranks, *files);
  if (ranks.is_root()) {
    const auto whole_weights = weights("whole", 20), resumed = weights("part", 20);
    for (const auto& [name, tensor] : whole_weights.tensors)
      EXPECT_TRUE(at::allclose(resumed.find(name), tensor, 1e-4, 1e-5)) << name;
    const auto a = timeless_metrics(path + "/whole"), b = timeless_metrics(path + "/part");
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(loss_of(a[i]), loss_of(b[i]), 1e-5) << i;
  }
  ranks.barrier();
}

TEST_F(TrainingRunMpi, TrainsWithMoreRanksThanSamplesInABatch) {
  Recipe recipe = small_resnet_recipe();
  recipe.train.global_batch = 2;
  recipe.train.steps = 3;
  EXPECT_EQ(run_to_end(recipe, path + "/run", false, ranks, *files), RunOutcome::finished);
  // A rank that never sees a row must not bring its initial statistics into the mean. Two samples over 1 to 4
  // ranks go to these:
  const std::vector<std::vector<int>> seeing = {{0}, {0, 1}, {1, 2}, {1, 3}};
  if (ranks.is_root() && ranks.size() > 1) {
    const auto saved = weights("run", 3);
    const auto& with_rows = seeing.at(static_cast<size_t>(ranks.size() - 1));
    int statistics = 0;
    for (const auto& [name, tensor] : saved.tensors) {
      if (name.find("running_") == std::string::npos) continue;
      ++statistics;
      at::Tensor sum = at::zeros_like(tensor, at::kDouble);
      for (const int rank : with_rows)
        sum += models::read_safetensors(*files, path + "/run/checkpoints/step-3/ranks/rank-" +
                                                    std::to_string(rank) + ".safetensors")
                   .find(name);
      EXPECT_TRUE(
          at::allclose(tensor, (sum / static_cast<double>(with_rows.size())).to(at::kFloat), 1e-6, 1e-7))
          << name;
    }
    EXPECT_EQ(statistics, 14);
  }
  ranks.barrier();
}

// Rank 0 alone writes; where its disk fills up, every rank throws, and none waits for it.
TEST_F(TrainingRunMpi, ThrowsOnEveryRankWhereACheckpointCannotBeWritten) {
  Recipe recipe = small_recipe();
  recipe.checkpoint.every = 2;
  test::FaultyFileSystem counting(files);
  run_to_end(recipe, path + "/whole", false, ranks, counting);
  const auto operations = static_cast<int>(ranks.agree_max(counting.operations()));
  int failures = 0;
  for (int operation = 8; operation <= operations; operation += 37) {
    const std::string name = path + "/full-" + std::to_string(operation);
    test::FaultyFileSystem faulty(files);
    if (ranks.is_root()) faulty.fail_at(operation, test::Fault::no_space);
    bool failed = false;
    try {
      run_to_end(recipe, name, false, ranks, faulty);
    } catch (const EnvironmentError& error) {
      failed = true;
      EXPECT_FALSE(error.remedy().empty());
    }
    EXPECT_EQ(ranks.agree_any(failed), failed) << "operation " << operation << " failed on some ranks only";
    EXPECT_EQ(ranks.agree_any(faulty.has_failed()), failed) << "operation " << operation;
    failures += failed ? 1 : 0;
  }
  EXPECT_GT(failures, 3);
  run_to_end(recipe, path + "/full-" + std::to_string(8), true, ranks, *files);
  if (ranks.is_root()) expect_same_runs(path + "/whole", path + "/full-8", 20);
  ranks.barrier();
}

TEST_F(TrainingRunMpi, ThrowsRootsErrorOnEveryRank) {
  run_to_end(small_recipe(), path + "/run", false, ranks, *files);
  EXPECT_THROW(run_to_end(small_recipe(), path + "/run", false, ranks, *files), UsageError);
  try {
    on_root(ranks, [] { throw DataError("no good", "here", "do that"); });
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(error.problem(), "no good");
    EXPECT_EQ(error.where(), "here");
    EXPECT_EQ(error.remedy(), "do that");
  }
}

TEST_F(TrainingRunMpi, AveragesStatisticsOverRanksThatSeeRows) {
  NamedTensors own = {{"mean", at::full({2}, ranks.rank() + 1.0, at::kFloat)},
                      {"var", at::full({1}, 10.0 * (ranks.rank() + 1), at::kFloat)}};
  const at::Tensor all = gather_statistics(ranks, own);
  ASSERT_EQ(all.size(0), ranks.size());
  std::vector<bool> with_rows(static_cast<size_t>(ranks.size()), true);
  if (ranks.size() > 1) with_rows.back() = false;
  const double counted = ranks.size() > 1 ? ranks.size() - 1 : 1;
  const NamedTensors means = named_slices(mean_statistics(all, with_rows), own);
  EXPECT_FLOAT_EQ(means[0].second[1].item<float>(), static_cast<float>((counted + 1) / 2));
  EXPECT_FLOAT_EQ(means[1].second[0].item<float>(), static_cast<float>(10 * (counted + 1) / 2));
  EXPECT_EQ(ranks_with_rows(2, 3), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(ranks_with_rows(5, 3), (std::vector<bool>{true, true, true}));
}

}  // namespace
}  // namespace smoothlab::trainer
