#include "eval/report_subject.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/paper_results.h"

namespace smoothlab::eval {
namespace {

bool same_shape(const ReportRun& a, const ReportRun& b) {
  return a.task == b.task && a.model == b.model && a.shape == b.shape;
}

/// The fewest keys, as far as going for the greatest gain finds them, in which a run's shape differs from
/// each of the others': "train.steps 600".
std::string told_apart(const ReportRun& run, std::vector<const ReportRun*> others) {
  const auto differs = [&run](const ReportRun* other, size_t k) {
    return k >= other->shape.size() || other->shape[k].second != run.shape[k].second;
  };
  std::vector<std::string> parts;
  while (!others.empty()) {
    size_t best = 0;
    int64_t most = 0;
    for (size_t k = 0; k < run.shape.size(); ++k) {
      const auto gain =
          std::count_if(others.begin(), others.end(), [&](const auto* other) { return differs(other, k); });
      if (gain > most) {
        most = gain;
        best = k;
      }
    }
    if (most == 0) break;
    parts.push_back(run.shape[best].first + " " + run.shape[best].second);
    others.erase(
        std::remove_if(others.begin(), others.end(), [&](const auto* other) { return differs(other, best); }),
        others.end());
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

size_t kept(const ReportRun& run) {
  return run.projections.size() + run.information.size() + (run.calibration ? 1 : 0) + (run.sweep ? 1 : 0);
}

bool same_lesson(const ReportRun::Taught& a, const ReportRun::Taught& b) {
  const bool alike = !a.by || !b.by || same_shape(*a.by, *b.by);
  return alike && a.model == b.model && a.alpha == b.alpha && a.loss == b.loss && a.beta == b.beta &&
         a.temperature == b.temperature;
}

/// Of one seed, and where they had a teacher of the same one, by what it comes to.
bool twins(const ReportRun& a, const ReportRun& b) {
  return a.seed == b.seed && (!a.taught || !b.taught || a.taught->gamma == b.taught->gamma);
}

/// Adds a run to those of its kind, unless its twin is there: a study and another that share a
/// run count it once, with the folder that kept more.
void add_once(std::vector<const ReportRun*>& runs, const ReportRun& run,
              std::vector<const ReportRun*>& repeated) {
  const auto twin =
      std::find_if(runs.begin(), runs.end(), [&](const ReportRun* other) { return twins(*other, run); });
  if (twin == runs.end()) {
    runs.push_back(&run);
  } else if (kept(run) > kept(**twin)) {
    repeated.push_back(*twin);
    *twin = &run;
  } else {
    repeated.push_back(&run);
  }
}

void add_distilled(ReportSubject& subject, const ReportRun& run) {
  const auto same = [&](const DistilledRuns& other) {
    return other.alpha == run.alpha && same_lesson(other.how, *run.taught);
  };
  auto found = std::find_if(subject.distilled.begin(), subject.distilled.end(), same);
  if (found == subject.distilled.end())
    found = subject.distilled.insert(found, DistilledRuns{*run.taught, run.alpha, {}});
  add_once(found->runs, run, subject.repeated);
}

/// Empty where it is the one that runs are evaluated on.
std::string paper_split(const ReportRun& run) {
  const PublishedResults* published = published_results(run.task, run.model);
  return published ? published->split : "";
}

void add(ReportSubject& subject, const ReportRun& run) {
  if (!run.end) {
    subject.unfinished.push_back(&run);
    return;
  }
  if (run.taught) {
    add_distilled(subject, run);
    return;
  }
  // Hard targets are the same in every convention.
  const std::string convention = run.alpha == 0 ? "uniform" : run.convention;
  const auto same = [&](const AlphaRuns& other) {
    return other.alpha == run.alpha && other.convention == convention;
  };
  auto found = std::find_if(subject.smoothing.begin(), subject.smoothing.end(), same);
  if (found == subject.smoothing.end())
    found = subject.smoothing.insert(found, AlphaRuns{run.alpha, convention, {}});
  add_once(found->runs, run, subject.repeated);
}

}  // namespace

std::string AlphaRuns::title() const {
  return fmt::format("α = {:g}{}", alpha, alpha > 0 && convention != "uniform" ? ", " + convention : "");
}

SeedStatistics DistilledRuns::gamma() const {
  return over_runs(runs, [](const ReportRun& run) { return std::optional(run.taught->gamma); });
}

const AlphaRuns* ReportSubject::hard() const {
  const auto found =
      std::find_if(smoothing.begin(), smoothing.end(), [](const AlphaRuns& runs) { return runs.alpha == 0; });
  return found == smoothing.end() ? nullptr : &*found;
}

const AlphaRuns* ReportSubject::smoothed() const {
  constexpr double alpha = 0.1;
  const AlphaRuns* nearest = nullptr;
  // The paper's convention where there are several.
  const auto distance = [](const AlphaRuns& runs) {
    return std::make_pair(std::abs(runs.alpha - alpha), runs.convention == "uniform" ? 0 : 1);
  };
  for (const AlphaRuns& runs : smoothing)
    if (runs.alpha > 0 && (!nearest || distance(runs) < distance(*nearest))) nearest = &runs;
  return nearest;
}

std::vector<ReportSubject> report_subjects(const std::vector<ReportRun>& runs) {
  std::vector<const ReportRun*> first;  // of each subject
  std::vector<ReportSubject> subjects;
  for (const ReportRun& run : runs) {
    if (run.unreadable) continue;
    const auto same = std::find_if(first.begin(), first.end(),
                                   [&](const ReportRun* other) { return same_shape(*other, run); });
    if (same == first.end()) {
      first.push_back(&run);
      subjects.push_back(
          {run.task, run.model, people_name(run.task) + ", " + people_name(run.model), {}, {}, {}, {}});
      add(subjects.back(), run);
    } else {
      add(subjects[static_cast<size_t>(same - first.begin())], run);
    }
  }
  for (size_t s = 0; s < subjects.size(); ++s) {
    ReportSubject& subject = subjects[s];
    std::stable_sort(subject.smoothing.begin(), subject.smoothing.end(),
                     [](const AlphaRuns& a, const AlphaRuns& b) { return a.alpha < b.alpha; });
    for (AlphaRuns& of_alpha : subject.smoothing)
      std::stable_sort(of_alpha.runs.begin(), of_alpha.runs.end(),
                       [](const ReportRun* a, const ReportRun* b) { return a->seed < b->seed; });
    std::stable_sort(
        subject.distilled.begin(), subject.distilled.end(),
        [](const DistilledRuns& a, const DistilledRuns& b) { return a.gamma().mean < b.gamma().mean; });
    std::vector<const ReportRun*> namesakes;
    for (const ReportRun* other : first)
      if (other != first[s] && other->task == subject.task && other->model == subject.model)
        namesakes.push_back(other);
    if (!namesakes.empty()) subject.name += ": " + told_apart(*first[s], namesakes);
  }
  return subjects;
}

bool is_judged(const ReportRun& run, const std::string& split) {
  if (split.empty()) return false;
  const std::string wanted = paper_split(run);
  if (split == wanted) return true;
  if (run.calibration && stated(run.calibration->origin, "split") == wanted) return false;
  return run.judged_by() && split == run.judged_by()->split;
}

std::string missing_split(const ReportRun& run) {
  const std::string wanted = paper_split(run);
  if (wanted.empty() || !run.judged_by() || run.judged_by()->split == wanted) return "";
  return judged_elsewhere(run) ? "" : wanted;
}

bool judged_elsewhere(const ReportRun& run) {
  if (!run.calibration) return false;
  const std::string split = stated(run.calibration->origin, "split");
  return !split.empty() && (!run.judged_by() || split != run.judged_by()->split);
}

std::optional<double> final_accuracy(const ReportRun& run) {
  if (judged_elsewhere(run)) return 100 * run.calibration->unscaled.accuracy;
  if (!run.judged_by()) return std::nullopt;
  return 100 * run.judged_by()->accuracy;
}

std::optional<double> final_nll(const ReportRun& run) {
  if (judged_elsewhere(run)) return run.calibration->unscaled.nll;
  if (!run.judged_by()) return std::nullopt;
  return run.judged_by()->nll;
}

std::optional<double> calibration_error(const ReportRun& run) {
  if (run.calibration) return run.calibration->unscaled.ece;
  if (!run.judged_by()) return std::nullopt;
  return run.judged_by()->ece;
}

std::optional<double> scaled_error(const ReportRun& run) {
  if (!run.calibration || !run.calibration->scaled) return std::nullopt;
  return run.calibration->scaled->ece;
}

std::optional<double> fitted_temperature(const ReportRun& run) {
  if (!run.calibration || !run.calibration->fit) return std::nullopt;
  return run.calibration->fit->temperature;
}

std::optional<double> final_information(const ReportRun& run) {
  if (run.information.empty()) return std::nullopt;
  return run.information.back().estimate.information;
}

std::optional<double> highest_information(const ReportRun& run) {
  if (run.information.size() < 2) return std::nullopt;
  double highest = run.information.front().estimate.information;
  for (const auto& at : run.information) highest = std::max(highest, at.estimate.information);
  return highest;
}

std::optional<double> lost_information(const ReportRun& run) {
  const auto highest = highest_information(run);
  return highest ? std::optional(*highest - *final_information(run)) : std::nullopt;
}

const PenultimateProjection* projection_of(const ReportRun& run, const std::string& split) {
  for (const auto& [projection, similar] : run.projections)
    if (!similar && stated(projection.origin, "split") == split) return &projection;
  return nullptr;
}

std::optional<double> projected_spread(const ReportRun& run, const std::string& split) {
  const PenultimateProjection* projection = projection_of(run, split);
  return projection ? projection->spread : std::nullopt;
}

std::optional<double> projected_regularity(const ReportRun& run, const std::string& split) {
  const PenultimateProjection* projection = projection_of(run, split);
  return projection ? projection->means.regularity : std::nullopt;
}

}  // namespace smoothlab::eval
