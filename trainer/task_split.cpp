#include "trainer/task_split.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

std::vector<TaskSplit> splits_of(const data::Task& task) {
  std::vector<TaskSplit> present;
  for (const auto& [name, dataset] : {std::pair("train", task.train),
                                      std::pair("validation", task.validation), std::pair("test", task.test)})
    if (dataset) present.push_back({name, dataset});
  return present;
}

/// How a task gets the split.
std::string remedy(const data::Task& task, const std::string& name) {
  if (task.name == "text")
    return name == "test"
               ? "prepare the corpus with --test-source or --hold-out-test, or name another split"
               : "prepare the corpus with --validation-source or --hold-out, or name another split";
  if (task.name == "imagenet" && name != "validation")
    return fmt::format("index its images too, smoothlab data prepare imagenet --{} …, or name another split",
                       name == "test" ? "validation" : "train");
  return "hold samples out with task.validation, or name another split";
}

}  // namespace

TaskSplit split_of(const data::Task& task, const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (TaskSplit& split : splits_of(task)) {
    if (split.name == name) return split;
    names.push_back(split.name);
  }
  throw UsageError(
      fmt::format("the task '{}' has no split '{}', only {}", task.name, name, fmt::join(names, " and ")),
      where, remedy(task, name));
}

TaskSplit recipe_split(const Recipe& recipe, const data::Task& task, const std::string& name,
                       const std::string& key) {
  const bool falls_back = name == "validation" && !task.validation && task.test;
  return split_of(task, falls_back ? "test" : name, recipe.places.at(key));
}

TaskSplit evaluated_split(const Recipe& recipe, const data::Task& task, const std::string& asked) {
  return asked.empty() ? recipe_split(recipe, task, recipe.evaluate.split, "evaluate.split")
                       : split_of(task, asked, "--split");
}

}  // namespace smoothlab::trainer
