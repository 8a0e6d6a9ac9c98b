#include "trainer/run_folder.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "cluster/error.h"
#include "eval/recipe_text.h"
#include "trainer/recipe_keys.h"
#include "trainer/run_summary.h"
#include "trainer/schedule.h"
#include "trainer/teacher_record.h"

namespace smoothlab::trainer {
namespace {

/// Whether a sitting may have another value than the one before. How work is cut up changes no more than
/// rounding, but that it does; and another teacher is another run. The best checkpoint is chosen anew.
bool never_matters(const std::string& key) {
  if (key == "checkpoint.best") return true;
  static const std::set<std::string> matter{"train.bucket_bytes", "train.micro_batch", "teacher.run",
                                            "teacher.logits"};
  return !eval::shapes_training(key) && matter.count(key) == 0;
}

/// Whether the run only gets longer, steps to more steps or epochs to more epochs.
bool lengthens(const TrainOptions& before, const TrainOptions& now) {
  return (before.steps > 0) == (now.steps > 0) && now.steps >= before.steps && now.epochs >= before.epochs;
}

}  // namespace

std::string first_conflict(const Recipe& before, const Recipe& now) {
  for (const auto& key : recipe_keys()) {
    const std::string old_value = key.write(before), new_value = key.write(now);
    if (old_value == new_value || never_matters(key.path)) continue;
    std::string change = fmt::format("{}: {} → {}", key.path, old_value, new_value);
    const bool length = key.path == "train.steps" || key.path == "train.epochs";
    if (!length || !lengthens(before.train, now.train)) return change;
    if (Schedule::depends_on_length(before.schedule))
      return change + fmt::format(", and schedule.name {} depends on the run's length", before.schedule.name);
  }
  return "";
}

Recipe recipe_of_run(const cluster::FileSystem& files, const std::string& path) {
  try {
    return parse_recipe(files.read(path), path, {});
  } catch (const UsageError& error) {
    throw DataError("the run's recipe cannot be read: " + error.problem(), error.where(),
                    "restore it from the copy in the newest checkpoint");
  }
}

RunFolder::RunFolder(cluster::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (path_.empty()) throw UsageError("a run needs a folder", "--run", "name one");
}

bool RunFolder::holds_run() const {
  return files_.exists(recipe());
}

void RunFolder::lock() {
  if (!lock_) lock_ = files_.lock(path_ + "/.lock");
}

void RunFolder::refuse_second_run() const {
  if (holds_run())
    throw UsageError("the folder holds a run already", path_,
                     "add --resume to go on with it, or name another folder");
}

bool RunFolder::claim(bool resume) {
  if (files_.exists(path_)) lock();
  if (!resume) refuse_second_run();
  return holds_run();
}

void RunFolder::begin(const Recipe& new_recipe) {
  files_.make_folders(path_);
  lock();
  refuse_second_run();
  if (!files_.list(checkpoints()).empty())
    throw UsageError("the folder holds checkpoints, but the recipe.yaml of their run is gone", path_,
                     "put recipe.yaml back, of which each checkpoint holds a copy, and add --resume, or name "
                     "another folder");
  files_.make_folders(checkpoints());
  files_.make_folders(logits());
  // What an attempt that ended before its recipe was written may have left.
  if (files_.exists(metrics())) files_.truncate(metrics(), 0);
  files_.remove_all(summary_path(path_));
  files_.remove_all(teacher_path(path_));
  cluster::write_file_whole(files_, recipe(), resolved_recipe(new_recipe));
}

void RunFolder::reopen(const Recipe& new_recipe) {
  // As a recipe, so that keys which the program did not have then take their defaults.
  const Recipe before = recipe_of_run(files_, recipe());
  const std::string conflict = first_conflict(before, new_recipe);
  if (!conflict.empty())
    throw UsageError("the recipe is not the one this run was started with, " + conflict, recipe(),
                     "resume with the run's own recipe, or start another run in another folder");
  const std::string summary = summary_path(path_);
  const bool other_length =
      before.train.steps != new_recipe.train.steps || before.train.epochs != new_recipe.train.epochs;
  if (before.checkpoint.best != new_recipe.checkpoint.best && !other_length && files_.exists(summary))
    throw UsageError(fmt::format("the run has ended, and checkpoint.best was {}", before.checkpoint.best),
                     new_recipe.places.at("checkpoint.best"),
                     "a checkpoint is chosen while a run trains: start another one");
  files_.make_folders(checkpoints());
  files_.make_folders(logits());
  const std::string now = resolved_recipe(new_recipe);
  // Of a run that becomes longer what it came to is no longer true, before its recipe says so.
  if (other_length) files_.remove_all(summary);
  if (files_.read(recipe()) != now) cluster::write_file_whole(files_, recipe(), now);
}

}  // namespace smoothlab::trainer
