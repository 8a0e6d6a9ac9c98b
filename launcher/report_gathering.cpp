#include "launcher/report_gathering.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/paper_results.h"
#include "trainer/paper_recipes.h"
#include "trainer/run_record.h"

namespace smoothlab::launcher {
namespace {

/// Names that tell runs apart: their paths without what all have in common in front.
std::vector<std::string> short_names(const std::vector<std::string>& folders) {
  size_t common = 0;
  if (folders.size() > 1) {
    const auto [least, most] = std::minmax_element(folders.begin(), folders.end());
    while (common < least->size() && common < most->size() && (*least)[common] == (*most)[common]) ++common;
    common = least->rfind('/', common) == std::string::npos ? 0 : least->rfind('/', common) + 1;
  }
  std::vector<std::string> names;
  for (const std::string& folder : folders)
    names.push_back(folders.size() == 1 ? std::filesystem::path(folder).filename().string()
                                        : folder.substr(std::min(common, folder.size())));
  return names;
}

eval::ReportRun::End end_of(const trainer::RunRecord& record) {
  const trainer::RunSummary& s = *record.summary;
  eval::ReportRun::End end;
  end.step = s.step;
  end.seconds = s.seconds;
  end.samples_per_second = s.samples_per_second;
  end.ranks = s.ranks;
  end.threads = s.threads;
  end.device = s.device;
  end.processor = s.processor;
  end.precision = s.precision;
  end.program = s.code_version;
  end.torch = s.torch_version;
  return end;
}

/// What the run says itself.
eval::ReportRun told(const trainer::RunRecord& record, const std::string& name) {
  eval::ReportRun run;
  run.name = name;
  run.task = record.recipe.task.data;
  run.model = record.recipe.model.name;
  run.alpha = record.recipe.targets.alpha;
  run.convention = record.recipe.targets.convention;
  run.seed = record.recipe.train.seed;
  run.shape = trainer::shaping_values(record.recipe);
  run.has_paper_recipe = trainer::has_paper_recipe(record.recipe);
  if (run.has_paper_recipe) run.differences = trainer::differences_from_paper(record.recipe);
  if (record.summary) run.end = end_of(record);
  for (const auto& line : record.metrics.training)
    run.training.push_back({line.step, line.loss, line.accuracy});
  for (const auto& line : record.metrics.evaluations)
    run.evaluations.push_back({line.step, line.split, line.accuracy, line.nll, line.ece});
  for (const auto& line : record.metrics.information) {
    eval::MutualInformation estimate;
    estimate.examples = line.examples;
    estimate.draws = line.draws;
    estimate.information = line.information;
    estimate.bound = line.bound;
    estimate.floor = line.floor;
    run.information.push_back({line.step, estimate});
  }
  return run;
}

/// Classes to project of a file with these names; empty where none are asked for and it has too few.
std::vector<std::string> projected_classes(const eval::ReportRun& run, const ReportWishes& wishes,
                                           const std::vector<std::string>& names) {
  if (!wishes.classes.empty()) return wishes.classes;
  const auto* paper = eval::published_results(run.task, run.model);
  if (paper && paper->projected) return {paper->projected->begin(), paper->projected->end()};
  if (names.size() < 3) return {};
  return {names.begin(), names.begin() + 3};
}

/// Adds what a logit file of the run's end shows; an earlier one is passed over.
void judge_file(const std::string& path, const ReportWishes& wishes, eval::ReportRun& run) {
  const eval::LogitFile file(path);
  if (file.attribute("step") != std::to_string(run.end->step)) return;
  const std::string split = file.attribute("split");
  if (!run.evaluations.empty() && split == run.evaluations.back().split) {
    eval::CalibrationOptions options;
    options.threads = wishes.threads;
    options.bootstrap = 0;
    run.calibration = eval::analyse(file, options);
  }
  if (file.penultimate() == 0 || !file.has("classifier/weight")) return;
  const auto classes = projected_classes(run, wishes, file.class_names());
  if (classes.empty()) return;
  eval::ProjectionOptions options;
  options.examples = wishes.examples;
  options.threads = wishes.threads;
  run.projections.push_back(eval::project(file, classes, options));
}

void judge_files(const trainer::RunRecord& record, const ReportWishes& wishes, eval::ReportRun& run) {
  if (!run.end) return;
  for (const std::string& path : record.logits) {
    const std::string name = std::filesystem::path(path).filename().string();
    if (name.rfind("step-", 0) == 0 || name == "draws.h5") continue;
    try {
      judge_file(path, wishes, run);
    } catch (const DataError& error) {
      run.problems.push_back(name + " is left out: " + error.problem() + ".");
    }
  }
}

}  // namespace

std::vector<eval::ReportRun> gather_runs(const std::vector<std::string>& folders,
                                         const ReportWishes& wishes) {
  const auto files = cluster::local_file_system();
  std::vector<std::string> found;
  std::set<std::filesystem::path> seen;
  for (const std::string& folder : folders)
    for (const std::string& run : trainer::find_runs(*files, folder))
      if (seen.insert(std::filesystem::weakly_canonical(run)).second) found.push_back(run);
  const auto names = short_names(found);
  std::vector<eval::ReportRun> runs;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto record = trainer::read_run_record(*files, found[i]);
    runs.push_back(told(record, names[i]));
    judge_files(record, wishes, runs.back());
  }
  return runs;
}

}  // namespace smoothlab::launcher
