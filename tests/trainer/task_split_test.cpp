#include "trainer/task_split.h"

#include <gmock/gmock.h>

#include "cluster/error.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

std::string error_of(const data::Task& task, const std::string& name) {
  try {
    split_of(task, name, "--split");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(TaskSplitTest, ValidationMeansTestToRecipesAlone) {
  Recipe recipe = small_recipe();
  data::Task task = data::open_task(recipe.task, 1);
  task.validation = nullptr;
  recipe.evaluate.split = "validation";
  EXPECT_EQ(evaluated_split(recipe, task, "").name, "test");
  EXPECT_EQ(evaluated_split(recipe, task, "").dataset, task.test);
  EXPECT_EQ(evaluated_split(recipe, task, "train").dataset, task.train);
  EXPECT_THROW(evaluated_split(recipe, task, "validation"), UsageError);
}

TEST(TaskSplitTest, WhatIsMissingSaysWhatIsThereAndHowToMakeIt) {
  data::Task task = data::open_task(small_recipe().task, 1);
  task.validation = nullptr;
  EXPECT_THAT(error_of(task, "validation"),
              HasSubstr("has no split 'validation', only train and test (--split)"));
  EXPECT_THAT(error_of(task, "validation"), HasSubstr("task.validation"));
  task.name = "text";
  EXPECT_THAT(error_of(task, "validation"), HasSubstr("--validation-source or --hold-out"));
  task.test = nullptr;
  EXPECT_THAT(error_of(task, "test"), HasSubstr("--test-source or --hold-out-test"));
  task.name = "imagenet";
  EXPECT_THAT(error_of(task, "test"), HasSubstr("data prepare imagenet --validation"));
  EXPECT_THAT(error_of(task, "validation"), HasSubstr("task.validation"));
}

}  // namespace
}  // namespace smoothlab::trainer
