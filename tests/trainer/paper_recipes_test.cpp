// The recipes of the paper's appendix against its numbers, and their groups against the networks they are
// for.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "trainer/flat_parameters.h"
#include "trainer/optimizer.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {
namespace {

Recipe paper_recipe(const std::string& name) {
  setenv("SMOOTHLAB_DATA", "/somewhere", 1);
  const char* source = std::getenv("SMOOTHLAB_SOURCE");
  return read_recipe((source == nullptr ? std::string(".") : source) + "/recipes/paper/" + name + ".yaml",
                     {});
}

/// A recipe's network for images of this shape, and how each parameter of it is updated.
class Updates {
 public:
  Updates(const Recipe& recipe, models::ImageShape input, int64_t classes)
      : network_(make(recipe, input, classes)),
        parameters_(*network_, at::kFloat, at::kCPU),
        segments_(make_segments(recipe.optimizer, parameters_)) {}

  int64_t parameter_count() const { return network_->parameter_count(); }
  Segment of(const std::string& name) const {
    for (int64_t i = 0; i < parameters_.count(); ++i) {
      if (parameters_.parameter(i).name != name) continue;
      for (const auto& segment : segments_)
        if (parameters_.layout().offset(i) >= segment.begin && parameters_.layout().offset(i) < segment.end)
          return segment;
    }
    ADD_FAILURE() << "no parameter is called " << name;
    return {};
  }

 private:
  static std::unique_ptr<models::Network> make(const Recipe& recipe, models::ImageShape input,
                                               int64_t classes) {
    models::NetworkOptions options = recipe.model;
    options.input = input;
    options.classes = classes;
    return models::make_network(options);
  }

  std::unique_ptr<models::Network> network_;
  FlatParameters parameters_;
  std::vector<Segment> segments_;
};

TEST(PaperRecipes, AlexnetIsThatOfAppendixA1) {
  const Recipe recipe = paper_recipe("alexnet-cifar10");
  EXPECT_EQ(recipe.task.data, "cifar10");
  EXPECT_EQ(recipe.task.validation, 10000);
  EXPECT_EQ(recipe.task.augment.crop, 24);
  EXPECT_TRUE(recipe.task.augment.flip);
  EXPECT_EQ(recipe.task.augment.normalize, "per_image");
  EXPECT_EQ(recipe.targets.convention, "uniform");
  EXPECT_EQ(recipe.train.global_batch, 128);
  EXPECT_EQ(recipe.train.steps, 390000);
  EXPECT_EQ(recipe.train.loss_scale, 3);
  EXPECT_EQ(recipe.train.ema, 0);
  EXPECT_EQ(recipe.optimizer.name, "sgd");
  EXPECT_EQ(recipe.optimizer.momentum, 0);
  EXPECT_EQ(recipe.optimizer.lr, 0.1);
  EXPECT_EQ(recipe.optimizer.clip_norm, 0);
  EXPECT_EQ(recipe.schedule.name, "step");
  EXPECT_EQ(recipe.schedule.at, (std::vector<int64_t>{130000, 260000}));
  EXPECT_EQ(recipe.schedule.factor, 0.1);
  const Updates updates(recipe, {3, 24, 24}, 10);
  EXPECT_EQ(updates.parameter_count(), 1068298);
  for (const char* decayed : {"dense1.weight", "dense2.weight"})
    EXPECT_EQ(updates.of(decayed).weight_decay, 0.04) << decayed;
  for (const char* free : {"conv1.weight", "conv2.weight", "dense1.bias", "dense2.bias", "classifier.weight"})
    EXPECT_EQ(updates.of(free).weight_decay, 0) << free;
}

TEST(PaperRecipes, ResnetsAreThoseOfAppendixA2) {
  for (const int64_t classes : {10, 100}) {
    const Recipe recipe = paper_recipe("resnet56-cifar" + std::to_string(classes));
    EXPECT_EQ(recipe.task.data, "cifar" + std::to_string(classes));
    EXPECT_EQ(recipe.task.validation, 10000);
    EXPECT_EQ(recipe.task.augment.pad, 4);
    EXPECT_EQ(recipe.task.augment.crop, 32);
    EXPECT_TRUE(recipe.task.augment.flip);
    EXPECT_EQ(recipe.task.augment.normalize, "per_image");
    EXPECT_EQ(recipe.model.name, "resnet56_t2t");
    EXPECT_EQ(recipe.targets.convention, "uniform");
    EXPECT_EQ(recipe.train.global_batch, 128);
    EXPECT_EQ(recipe.train.steps, 64000);
    EXPECT_EQ(recipe.train.loss_scale, 3);
    EXPECT_EQ(recipe.optimizer.name, "sgd");
    EXPECT_EQ(recipe.optimizer.lr, 0.1);
    EXPECT_EQ(recipe.optimizer.momentum, 0.9);
    EXPECT_TRUE(recipe.optimizer.nesterov);
    EXPECT_EQ(recipe.optimizer.clip_norm, 1);
    EXPECT_EQ(recipe.schedule.name, "step");
    EXPECT_EQ(recipe.schedule.at, (std::vector<int64_t>{32000, 48000}));
    EXPECT_EQ(recipe.schedule.factor, 0.1);
    const Updates updates(recipe, {3, 32, 32}, classes);
    EXPECT_NEAR(static_cast<double>(updates.parameter_count()) / 1e6, 3.4, 0.05);
    for (const char* decayed : {"stem.conv.weight", "group3.block8.conv2.weight", "classifier.weight"})
      EXPECT_EQ(updates.of(decayed).weight_decay, 1e-4) << decayed;
    EXPECT_EQ(updates.of("stem.norm.weight").weight_decay, 0);
  }
}

TEST(PaperRecipes, MnistNetworksAreThoseOfAppendixA5) {
  struct Variant {
    const char* name;
    int64_t units;
    int shift;
    double alpha, dropout, input_dropout;
  };
  for (const Variant& variant : {Variant{"mlp-mnist-teacher-dropout", 1200, 2, 0, 0.5, 0.2},
                                 Variant{"mlp-mnist-teacher-smoothing", 1200, 2, 0.1, 0, 0},
                                 Variant{"mlp-mnist-student", 800, 0, 0, 0, 0}}) {
    const Recipe recipe = paper_recipe(variant.name);
    EXPECT_EQ(recipe.task.data, "mnist");
    EXPECT_EQ(recipe.task.augment.shift, variant.shift) << variant.name;
    EXPECT_EQ(recipe.model.hidden, (std::vector<int64_t>{variant.units, variant.units})) << variant.name;
    EXPECT_EQ(recipe.model.initialisation, "variance-0.03");
    EXPECT_EQ(recipe.model.dropout, variant.dropout) << variant.name;
    EXPECT_EQ(recipe.model.input_dropout, variant.input_dropout) << variant.name;
    EXPECT_EQ(recipe.targets.alpha, variant.alpha) << variant.name;
    EXPECT_EQ(recipe.optimizer.name, "smoothed-sgd");
    EXPECT_EQ(recipe.optimizer.momentum, 0.9);
    EXPECT_EQ(recipe.optimizer.lr, 1);
    EXPECT_EQ(recipe.optimizer.weight_decay, 0);
    EXPECT_EQ(recipe.schedule.name, "linear");
    EXPECT_EQ(recipe.schedule.final_factor, 0);
    EXPECT_EQ(recipe.train.epochs, 100);
    const Updates updates(recipe, {1, 28, 28}, 10);
    EXPECT_EQ(updates.of("classifier.weight").lr_scale, 0.1);
    EXPECT_EQ(updates.of("classifier.bias").lr_scale, 0.1);
    EXPECT_EQ(updates.of("hidden1.weight").lr_scale, 1);
    EXPECT_EQ(updates.of("hidden2.bias").lr_scale, 1);
  }
}

}  // namespace
}  // namespace smoothlab::trainer
