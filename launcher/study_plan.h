#pragma once

#include <string>
#include <utility>
#include <vector>

#include "launcher/study_file.h"
#include "trainer/recipe.h"

namespace smoothlab::launcher {

/// One run of a study, with all that is known before it starts.
struct StudyRun {
  std::string name;    ///< "teachers/alpha-0.1-seed-2"
  std::string folder;  ///< the study's, and the name
  size_t stage = 0;    ///< in StudyPlan::stages
  trainer::Recipe recipe;
  std::string resolved;  ///< the recipe as its folder will hold it
  /// What tells it from the others of its stage: keys of its grid, and as "teachers.targets.alpha" those of
  /// the runs that it was made for.
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<size_t> after;  ///< runs, in StudyPlan::runs, that have to be whole before it starts
};

/// A study expanded.
struct StudyPlan {
  std::string path, name;
  std::string folder;               ///< of all its runs
  std::vector<std::string> stages;  ///< each after those that it comes after
  std::vector<StudyRun> runs;       ///< stage by stage, so that a run stands behind those that it comes after
};

/// Reads each stage's recipe once, and makes a run of every combination of its grid and zips, for every run
/// of the other stages that its formulas refer to. All recipes are checked. `folder`: in place of the study's
/// own; empty: that. Throws UsageError that names file and line: stages in a circle, a formula that refers to
/// nothing, no run that passes `where` and `match`, two runs of one name or of one recipe.
StudyPlan plan_study(const StudyFile& study, const std::string& folder = "");

/// The runs that match a glob, as indices, with all that they come after where `needed` says so. "*" also
/// stands for "/". Throws UsageError where none does.
std::vector<size_t> select_runs(const StudyPlan& plan, const std::string& glob, bool needed);

}  // namespace smoothlab::launcher
