#include "launcher/report_gathering.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/report_subject.h"
#include "launcher/kept_sweeps.h"
#include "launcher/projected_classes.h"
#include "trainer/checkpoint.h"
#include "trainer/paper_recipes.h"
#include "trainer/run_record.h"
#include "trainer/teacher_network.h"

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
  if (s.best) {
    end.best_step = s.best->step;
    end.best = s.best->metric;
  }
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
  if (const auto& teacher = record.teacher)
    run.taught = eval::ReportRun::Taught{nullptr,       teacher->model,       teacher->alpha, teacher->loss,
                                         teacher->beta, teacher->temperature, teacher->gamma};
  for (const auto& line : record.metrics.training)
    run.training.push_back({line.step, line.loss, line.accuracy});
  for (const auto& line : record.metrics.evaluations)
    run.evaluations.push_back({line.step, line.split, line.accuracy, line.nll, line.ece});
  if (!record.problem.empty()) run.problems.push_back("its curves are left out: " + record.problem + ".");
  if (run.end && !run.judged_by() && record.summary->evaluation) {
    // Its line is not among the metrics, which may have been begun anew.
    const auto& one = *record.summary->evaluation;
    const auto later = std::find_if(run.evaluations.begin(), run.evaluations.end(),
                                    [&](const auto& other) { return other.step > one.step; });
    run.evaluations.insert(later, {one.step, one.split, one.accuracy, one.nll, one.ece});
  }
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

/// Adds what a logit file of the checkpoint that stands for the run shows; another one is passed over.
void judge_file(const std::string& path, const ReportWishes& wishes, ProjectedClasses& projected,
                eval::ReportRun& run) {
  const eval::LogitFile file(path, eval::Incomplete::refuse, eval::Compact::refuse, eval::Summary::accept);
  if (file.attribute("step") != std::to_string(run.end->standing_step())) return;
  if (eval::is_judged(run, file.attribute("split"))) {
    eval::CalibrationOptions options;
    options.threads = wishes.threads;
    options.bootstrap = 0;
    run.calibration = eval::analyse(file, options);
  }
  if (file.penultimate() == 0 || !file.has("classifier/weight")) return;
  eval::ProjectionOptions options;
  options.examples = wishes.examples;
  options.threads = wishes.threads;
  for (const ProjectedTriple& triple : projected.of(file, run.task, run.model)) {
    try {
      run.projections.push_back({eval::project(file, triple.classes, options), triple.similar});
    } catch (const DataError& error) {
      run.problems.push_back(fmt::format("{} is not projected to {}: {}.",
                                         std::filesystem::path(path).filename().string(),
                                         fmt::join(triple.classes, ", "), error.problem()));
    }
  }
}

void judge_files(const trainer::RunRecord& record, const ReportWishes& wishes, ProjectedClasses& projected,
                 eval::ReportRun& run) {
  if (!run.end) return;
  for (const std::string& path : record.logits) {
    const std::string name = std::filesystem::path(path).filename().string();
    if (name.rfind("step-", 0) == 0 || name == "draws.h5") continue;
    try {
      judge_file(path, wishes, projected, run);
    } catch (const DataError& error) {
      run.problems.push_back(name + " is left out: " + error.problem() + ".");
    }
  }
  if (run.calibration)
    if (const auto rows = eval::stated_number(run.calibration->origin, "stand_ins"); rows && *rows > 0)
      run.problems.push_back(
          fmt::format("its logits have rows of images that stood in for damaged ones: {:.0f}.", *rows));
  const std::string missing = eval::missing_split(run);
  if (!missing.empty())
    run.problems.push_back(
        fmt::format("its figures are of split {}, the paper's of {}, of which it has no logits.",
                    run.judged_by()->split, missing));
}

/// Of the checkpoint that stands for the run: of what it was evaluated on before other splits, and of those
/// the one with the most temperatures.
void take_sweep(const trainer::RunRecord& record, const cluster::FileSystem& files, eval::ReportRun& run) {
  if (!run.end) return;
  const std::string split = run.judged_by() ? run.judged_by()->split : "";
  const auto worth = [&](const eval::TemperatureSweep& sweep) {
    return std::make_tuple(sweep.origin.split == split, sweep.origin.decoding, sweep.points.size());
  };
  try {
    for (const eval::TemperatureSweep& sweep : read_sweeps(files, record.folder))
      if (sweep.origin.step == run.end->standing_step() && (!run.sweep || worth(sweep) > worth(*run.sweep)))
        run.sweep = sweep;
  } catch (const DataError& error) {
    run.problems.push_back("its temperature sweep is left out: " + error.problem() + ".");
  }
}

/// Ends in a slash.
std::string canonical(const std::string& path) {
  return std::filesystem::weakly_canonical(path).string() + "/";
}

/// Of each run its teacher's place among `folders`, by its path or, where that leads elsewhere because the
/// runs were moved or are looked at from another folder, by its weights.
void find_teachers(const std::vector<std::string>& folders,
                   const std::vector<std::optional<trainer::TeacherRecord>>& teachers,
                   const cluster::FileSystem& files, std::vector<eval::ReportRun>& runs) {
  std::map<uint32_t, size_t> by_weights;
  std::vector<std::string> places;
  for (size_t i = 0; i < folders.size(); ++i) {
    places.push_back(canonical(folders[i]));
    const auto steps = trainer::checkpoint_steps(files, folders[i] + "/checkpoints");
    for (const int64_t step : steps)
      if (const auto crc32 =
              trainer::weights_crc32(folders[i] + "/checkpoints/" + trainer::checkpoint_name(step), files))
        by_weights.emplace(*crc32, i);
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].taught || !teachers[i]) continue;
    const std::string teacher = canonical(teachers[i]->teacher);
    const auto place = std::find_if(places.begin(), places.end(),
                                    [&](const std::string& one) { return teacher.rfind(one, 0) == 0; });
    const auto same = by_weights.find(teachers[i]->crc32);
    if (place != places.end())
      runs[i].taught->by = &runs[static_cast<size_t>(place - places.begin())];
    else if (same != by_weights.end())
      runs[i].taught->by = &runs[same->second];
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
  ProjectedClasses projected(wishes.classes);
  std::optional<DataError> unreadable;
  std::vector<std::optional<trainer::TeacherRecord>> teachers(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    try {
      const auto record = trainer::read_run_record(*files, found[i]);
      teachers[i] = record.teacher;
      runs.push_back(told(record, names[i]));
      take_sweep(record, *files, runs.back());
      judge_files(record, wishes, projected, runs.back());
    } catch (const DataError& error) {
      unreadable = error;
      runs.emplace_back().name = names[i];
      runs.back().problems.push_back(std::string("it cannot be read: ") + error.what() + ".");
      runs.back().unreadable = true;
    }
  }
  find_teachers(found, teachers, *files, runs);
  projected.check();
  const bool none = std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run.unreadable; });
  if (unreadable && none) throw DataError(*unreadable);
  return runs;
}

}  // namespace smoothlab::launcher
