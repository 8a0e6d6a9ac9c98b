#pragma once

#include <string>
#include <vector>

#include "eval/report_run.h"
#include "eval/seed_statistics.h"

namespace smoothlab::eval {

/// Runs that differ in nothing but the seed.
struct AlphaRuns {
  double alpha = 0;
  std::string convention;
  std::vector<const ReportRun*> runs;  ///< by seed
  /// "α = 0.1", with the convention where it is not the paper's.
  std::string title() const;
};

/// Students of one kind of teacher in one way, that differ in nothing but seeds.
struct DistilledRuns {
  ReportRun::Taught how;  ///< of the first; γ differs a little from seed to seed
  double alpha = 0;       ///< the students' own
  std::vector<const ReportRun*> runs;
  SeedStatistics gamma() const;
};

/// One network on one data set, trained in one way: what the paper's tables have a row for.
struct ReportSubject {
  std::string task, model;
  std::string name;                  ///< "CIFAR-100, ResNet-56", and what tells it from another of that name
  std::vector<AlphaRuns> smoothing;  ///< by α; runs that have ended and had no teacher
  std::vector<DistilledRuns> distilled;  ///< those that had one, by γ
  std::vector<const ReportRun*> unfinished;
  std::vector<const ReportRun*> repeated;  ///< of a recipe and seed that another run stands for already

  /// Null where there is none.
  const AlphaRuns* hard() const;
  /// The smoothed runs with the paper's α = 0.1, else those whose α is nearest to it; null where there are
  /// none.
  const AlphaRuns* smoothed() const;
};

/// Runs outlive the subjects. In the order in which runs come.
std::vector<ReportSubject> report_subjects(const std::vector<ReportRun>& runs);

/// A figure of each run that has it.
template <typename Figure>
SeedStatistics over_runs(const std::vector<const ReportRun*>& runs, const Figure& figure) {
  std::vector<double> values;
  for (const ReportRun* run : runs)
    if (const auto value = figure(*run)) values.push_back(*value);
  return over_seeds(values);
}
template <typename Figure>
SeedStatistics over_runs(const AlphaRuns& smoothing, const Figure& figure) {
  return over_runs(smoothing.runs, figure);
}

/// Whether final logits of this split are what a run's figures are of: the split that the paper's are of (see
/// PublishedResults), and until the run has logits of that one the split that it was evaluated on.
bool is_judged(const ReportRun& run, const std::string& split);
/// The split that the paper's figures are of, where the run's are of another; else empty.
std::string missing_split(const ReportRun& run);
/// Whether figures are of the logits of another split than the run was evaluated on while it trained.
bool judged_elsewhere(const ReportRun& run);

// The figures that tables and claims are made of; none where a run lacks it.
std::optional<double> final_accuracy(const ReportRun& run);     ///< percent
std::optional<double> final_nll(const ReportRun& run);          ///< nats
std::optional<double> calibration_error(const ReportRun& run);  ///< ECE, 15 bins
std::optional<double> scaled_error(const ReportRun& run);  ///< at the temperature fitted to the same rows
std::optional<double> fitted_temperature(const ReportRun& run);
std::optional<double> final_information(const ReportRun& run);  ///< nats
/// The greatest estimate of those that the run made, and how far the last is below it. None of a run with
/// one.
std::optional<double> highest_information(const ReportRun& run);
std::optional<double> lost_information(const ReportRun& run);
/// Of the projection of this split, of classes that do not look alike.
std::optional<double> projected_spread(const ReportRun& run, const std::string& split);
std::optional<double> projected_regularity(const ReportRun& run, const std::string& split);
const PenultimateProjection* projection_of(const ReportRun& run, const std::string& split);

}  // namespace smoothlab::eval
