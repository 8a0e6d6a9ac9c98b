#pragma once

#include <memory>
#include <string>

#include "data/task.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// A split of a task, and what it is called.
struct TaskSplit {
  std::string name;  ///< "train", "validation", "test"
  std::shared_ptr<const data::Dataset> dataset;
};

/// The split of this name and no other. Throws UsageError at `where`, an option or a recipe's place, that
/// says which splits there are and how to make this one.
TaskSplit split_of(const data::Task& task, const std::string& name, const std::string& where);

/// The split that a key of the recipe names ("evaluate.split"): there "validation" means test where nothing
/// is held out. Throws UsageError with the recipe's place.
TaskSplit recipe_split(const Recipe& recipe, const data::Task& task, const std::string& name,
                       const std::string& key);

/// What is evaluated: the split that a person named with --split, which may be none (""), else the recipe's
/// evaluate.split. Throws UsageError.
TaskSplit evaluated_split(const Recipe& recipe, const data::Task& task, const std::string& asked);

}  // namespace smoothlab::trainer
