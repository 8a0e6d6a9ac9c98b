#include "trainer/paper_recipes.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

Recipe of_file(const std::string& name, const std::vector<std::string>& changes = {}) {
  setenv("SMOOTHLAB_DATA", "/somewhere", 1);
  const char* source = std::getenv("SMOOTHLAB_SOURCE");
  return read_recipe((source == nullptr ? std::string(".") : std::string(source)) + "/recipes/paper/" + name,
                     changes);
}

TEST(PaperRecipes, KnowTheirOwn) {
  for (const char* name :
       {"alexnet-cifar10.yaml", "resnet56-cifar10.yaml", "resnet56-cifar100.yaml", "mlp-mnist-student.yaml",
        "mlp-mnist-teacher-dropout.yaml", "mlp-mnist-teacher-smoothing.yaml", "wmt14-ende-base.yaml",
        "imagenet-inception_v4.yaml"}) {
    EXPECT_TRUE(has_paper_recipe(of_file(name))) << name;
    EXPECT_THAT(differences_from_paper(of_file(name)), ElementsAre()) << name;
  }
}

/// Those of the folders beside too: a key that was renamed would make them useless.
TEST(PaperRecipes, EveryRecipeThatComesWithTheProgramIsRead) {
  int recipes = 0;
  const char* source = std::getenv("SMOOTHLAB_SOURCE");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           (source == nullptr ? std::string(".") : std::string(source)) + "/recipes")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(path);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (text.find("\nstages:") != std::string::npos) continue;
    setenv("SMOOTHLAB_DATA", "/somewhere", 1);
    std::vector<std::string> settings;
    // A part of a study whose teacher the study names.
    if (text.find("teacher:") != std::string::npos && text.find("run:") == std::string::npos)
      settings.push_back("teacher.run=/somewhere");
    EXPECT_NO_THROW(read_recipe(path, settings)) << path;
    ++recipes;
  }
  EXPECT_GE(recipes, 15);
}

TEST(PaperRecipes, SmoothingSeedAndHowARunIsKeptMakeNoDifference) {
  const Recipe recipe =
      of_file("resnet56-cifar100.yaml", {"targets.alpha=0", "train.seed=7", "evaluate.every=50",
                                         "task.path=/x", "train.device=cpu", "logits.splits=[train]"});
  EXPECT_THAT(differences_from_paper(recipe), ElementsAre());
}

TEST(PaperRecipes, SayWhatDiffers) {
  const Recipe recipe = of_file("resnet56-cifar100.yaml", {"train.steps=800", "optimizer.lr=0.05"});
  EXPECT_THAT(differences_from_paper(recipe),
              UnorderedElementsAre("train.steps is 800, in the paper's recipe 64000",
                                   "optimizer.lr is 0.05, in the paper's recipe 0.1"));
}

TEST(PaperRecipes, TakeTheNearestOfSeveral) {
  const Recipe recipe = of_file("mlp-mnist-teacher-dropout.yaml", {"train.epochs=5"});
  EXPECT_THAT(differences_from_paper(recipe), ElementsAre("train.epochs is 5, in the paper's recipe 100"));
}

TEST(PaperRecipes, AreNoneOfTheEmbeddedImages) {
  EXPECT_FALSE(has_paper_recipe(small_recipe()));
  EXPECT_TRUE(differences_from_paper(small_recipe()).empty());
}

}  // namespace
}  // namespace smoothlab::trainer
