#include "launcher/run_state.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "trainer/checkpoint.h"
#include "trainer/last_metrics.h"
#include "trainer/run_folder.h"
#include "trainer/run_summary.h"
#include "trainer/teacher_network.h"
#include "trainer/teacher_record.h"

namespace smoothlab::launcher {
namespace {

bool equally_long(const trainer::Recipe& before, const trainer::Recipe& now) {
  return before.train.steps == now.train.steps && before.train.epochs == now.train.epochs;
}

RunState changed(const std::string& problem) {
  RunState state;
  state.phase = RunPhase::changed;
  state.problem = problem;
  return state;
}

void take_summary(RunState& state, const trainer::RunSummary& summary) {
  state.phase = RunPhase::done;
  state.step = summary.step;
  state.seconds = summary.seconds;
  state.evaluation = summary.evaluation;
}

void take_metrics(const cluster::FileSystem& files, const StudyRun& run, RunState& state) {
  const auto last = trainer::last_metrics(files, run.folder + "/metrics.jsonl");
  state.step = last.step;
  state.seconds = last.seconds;
  state.evaluation = last.evaluation;
}

}  // namespace

const char* phase_name(RunPhase phase) {
  switch (phase) {
    case RunPhase::waiting:
      return "waiting";
    case RunPhase::stopped:
      return "stopped";
    case RunPhase::running:
      return "running";
    case RunPhase::failed:
      return "failed";
    case RunPhase::done:
      return "done";
    case RunPhase::changed:
      return "changed";
  }
  return "";
}

std::string stderr_path(const std::string& folder) {
  return folder + "/stderr.txt";
}

std::string told_error(const cluster::FileSystem& files, const std::string& folder) {
  if (!files.exists(stderr_path(folder))) return "";
  const std::string text = "\n" + files.read(stderr_path(folder));
  const std::string word = "\nerror: ";
  const size_t last = text.rfind(word);
  if (last == std::string::npos) return "";
  const size_t begin = last + word.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

RunState run_state(const cluster::FileSystem& files, const StudyRun& run) {
  const std::string recipe = run.folder + "/recipe.yaml";
  const std::string checkpoints = run.folder + "/checkpoints";
  RunState state;
  if (!files.exists(recipe)) {
    if (!files.list(checkpoints).empty())
      return changed("it holds checkpoints, but the recipe.yaml of their run is gone");
    return state;
  }
  bool same_length = true;
  std::string chosen_otherwise;
  if (files.read(recipe) != run.resolved) {
    try {
      const trainer::Recipe before = trainer::recipe_of_run(files, recipe);
      const std::string conflict = trainer::first_conflict(before, run.recipe);
      if (!conflict.empty()) return changed(conflict);
      same_length = equally_long(before, run.recipe);
      const std::string &then = before.checkpoint.best, &now = run.recipe.checkpoint.best;
      if (then != now) chosen_otherwise = fmt::format("checkpoint.best: {} → {}", then, now);
    } catch (const DataError& error) {
      return changed(error.problem());
    }
  }
  try {
    if (const auto teacher = trainer::read_teacher_record(files, run.folder)) {
      if (teacher->crc32 != 0 &&
          trainer::still_teaches(run.recipe.teacher.run, teacher->crc32, files) == false)
        return changed(fmt::format("its teacher in {} has other weights now", run.recipe.teacher.run));
      state.gamma = teacher->gamma;
    }
    const auto summary = trainer::read_summary(files, run.folder);
    // One of fewer steps was written for a shorter run.
    if (summary && same_length && summary->step >= run.recipe.train.steps) take_summary(state, *summary);
  } catch (const DataError& error) {
    state.phase = RunPhase::failed;
    state.problem = error.what();
  }
  // One that goes on chooses anew; of one that has ended it is too late.
  if (state.phase == RunPhase::done && !chosen_otherwise.empty()) return changed(chosen_otherwise);
  if (state.phase != RunPhase::done) take_metrics(files, run, state);
  if (state.phase == RunPhase::waiting) {
    if (files.locked(run.folder + "/.lock")) {
      state.phase = RunPhase::running;
    } else {
      state.problem = told_error(files, run.folder);
      state.phase = state.problem.empty() ? RunPhase::stopped : RunPhase::failed;
    }
  }
  if (state.step > 0) state.seconds_per_step = state.seconds / static_cast<double>(state.step);
  if (state.phase == RunPhase::stopped || state.phase == RunPhase::failed) {
    const auto steps = trainer::checkpoint_steps(files, checkpoints);
    state.step = steps.empty() ? 0 : steps.back();
  }
  return state;
}

}  // namespace smoothlab::launcher
