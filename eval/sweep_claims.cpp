#include "eval/sweep_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/sweep_charts.h"

namespace smoothlab::eval {
namespace {

constexpr bool lowercase = true;

std::optional<double> bleu_at(const ReportRun& run, double temperature) {
  const SweepPoint* point = run.sweep ? run.sweep->at(temperature) : nullptr;
  return point ? bleu_of(*point, lowercase) : std::nullopt;
}

std::optional<double> bleu_at_one(const ReportRun& run) {
  return bleu_at(run, 1);
}

std::optional<double> best_bleu(const ReportRun& run) {
  const SweepPoint* best = run.sweep ? best_points(*run.sweep, lowercase).bleu : nullptr;
  return best ? bleu_of(*best, lowercase) : std::nullopt;
}

std::optional<double> best_temperature(const ReportRun& run) {
  const SweepPoint* best = run.sweep ? best_points(*run.sweep, lowercase).bleu : nullptr;
  return best ? std::optional(best->temperature) : std::nullopt;
}

/// What T = 1 loses against the best temperature.
std::optional<double> lost_at_one(const ReportRun& run) {
  const auto best = best_bleu(run), one = bleu_at_one(run);
  return best && one ? std::optional(*best - *one) : std::nullopt;
}

/// A best temperature at the end of a sweep may lie beyond it.
bool best_is_inside(const AlphaRuns& smoothing) {
  return std::all_of(smoothing.runs.begin(), smoothing.runs.end(), [](const ReportRun* run) {
    const auto best = best_temperature(*run);
    return !best ||
           (*best > run->sweep->points.front().temperature && *best < run->sweep->points.back().temperature);
  });
}

void add_near_one(const AlphaRuns& smoothed, std::vector<Claim>& claims) {
  const SeedStatistics best = over_runs(smoothed, best_temperature), lost = over_runs(smoothed, lost_at_one);
  if (lost.count == 0) return;
  // The curve is flat at its top: where the best temperature is far, T = 1 must lose something too.
  constexpr double near = 0.2, little = 0.2;
  Claim claim{"Fig. 4", "the smoothed network's BLEU is best near T = 1",
              fmt::format("{}: best at T = {}; at T = 1 it is lower by {}", smoothed.title(),
                          to_text(best, 2), to_text(lost, 2)),
              Verdict::open};
  const bool is_near = std::abs(best.mean - 1) <= near + 1e-9;
  if (is_near && best_is_inside(smoothed)) claim.verdict = Verdict::holds;
  if (!is_near && lost.mean > little) claim.verdict = Verdict::fails;
  claims.push_back(claim);
}

SeedStatistics bleu_at(const AlphaRuns& smoothing, double temperature) {
  return over_runs(smoothing, [&](const ReportRun& run) { return bleu_at(run, temperature); });
}

/// One temperature for all seeds: the best of the mean of their curves, at those that every sweep has a BLEU
/// for. Of equals T = 1, then the lowest. None where there are not two of them.
std::optional<double> best_of_mean(const AlphaRuns& smoothing) {
  const auto has_sweep = [](const ReportRun* run) { return run->sweep.has_value(); };
  const auto sweeps = std::count_if(smoothing.runs.begin(), smoothing.runs.end(), has_sweep);
  const auto first = std::find_if(smoothing.runs.begin(), smoothing.runs.end(), has_sweep);
  if (first == smoothing.runs.end()) return std::nullopt;
  int common = 0;
  std::optional<double> best;
  double highest = 0;
  for (const SweepPoint& point : (*first)->sweep->points) {
    const SeedStatistics bleu = bleu_at(smoothing, point.temperature);
    if (bleu.count != sweeps) continue;
    ++common;
    if (best && (bleu.mean < highest || (bleu.mean == highest && point.temperature != 1))) continue;
    best = point.temperature;
    highest = bleu.mean;
  }
  return common > 1 ? best : std::nullopt;
}

/// Whether what a temperature adds to T = 1 in each run is more than chance. Its mean is: it was
/// chosen for that.
Verdict is_gain(const SeedStatistics& gain, const SeedStatistics& plain) {
  constexpr double chance = 0.05;  // of one run, as in is_lower
  const double least =
      gain.count > 1 ? 2 * gain.deviation / std::sqrt(static_cast<double>(gain.count)) : chance * plain.mean;
  return gain.mean > least ? Verdict::holds : Verdict::open;
}

/// A seed's own best temperature is never worse than its T = 1, whatever the network: the runs are compared
/// at one that they have in common.
void add_improvement(const AlphaRuns& hard, double best, std::vector<Claim>& claims) {
  const SeedStatistics plain = bleu_at(hard, 1), scaled = bleu_at(hard, best);
  if (plain.count != scaled.count) return;
  Claim claim{"Fig. 4", "a temperature improves the BLEU of hard targets",
              fmt::format("T = 1 is the best: {}", to_text(plain, 2)), Verdict::fails};
  if (best != 1) {
    const SeedStatistics gain = over_runs(hard, [&](const ReportRun& run) -> std::optional<double> {
      const auto one = bleu_at_one(run), other = bleu_at(run, best);
      return one && other ? std::optional(*other - *one) : std::nullopt;
    });
    claim.measured = fmt::format("at T = {:g}, the best on average: {}; at T = 1: {}; a run gains {}", best,
                                 to_text(scaled, 2), to_text(plain, 2), to_text(gain, 2));
    claim.verdict = is_gain(gain, plain);
  }
  claims.push_back(claim);
}

void add_out_of_reach(const AlphaRuns& hard, double best, const AlphaRuns& smoothed,
                      std::vector<Claim>& claims) {
  const SeedStatistics scaled = bleu_at(hard, best), smooth = bleu_at(smoothed, 1);
  if (smooth.count == 0) return;
  claims.push_back({"Fig. 4", "no temperature lifts the BLEU of hard targets to that of the smoothed network",
                    fmt::format("{} at T = 1: {}; hard targets at T = {:g}, their best: {}", smoothed.title(),
                                to_text(smooth, 2), best, to_text(scaled, 2)),
                    is_lower(scaled, smooth)});
}

/// Temperatures that a run of the kind has a NLL for.
std::vector<double> temperatures_of(const AlphaRuns& smoothing) {
  std::vector<double> all;
  for (const ReportRun* run : smoothing.runs)
    if (run->sweep)
      for (const SweepPoint& point : run->sweep->points)
        if (point.nll) all.push_back(point.temperature);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void add_likelihood(const AlphaRuns& hard, const AlphaRuns& smoothed, std::vector<Claim>& claims) {
  int all = 0, lower = 0;
  bool open = false, fails = false;
  for (const double temperature : temperatures_of(hard)) {
    const auto nll = [temperature](const ReportRun& run) -> std::optional<double> {
      const SweepPoint* point = run.sweep ? run.sweep->at(temperature) : nullptr;
      return point ? point->nll : std::nullopt;
    };
    const SeedStatistics a = over_runs(hard, nll), b = over_runs(smoothed, nll);
    if (a.count == 0 || b.count == 0) continue;
    ++all;
    if (a.mean < b.mean) ++lower;
    const Verdict verdict = is_lower(a, b);
    open = open || verdict == Verdict::open;
    fails = fails || verdict == Verdict::fails;
  }
  if (all == 0) return;
  claims.push_back({"Fig. 4", "hard targets have the lower NLL at every temperature",
                    fmt::format("against {}: lower at {} of {} temperatures", smoothed.title(), lower, all),
                    fails  ? Verdict::fails
                    : open ? Verdict::open
                           : Verdict::holds});
}

}  // namespace

std::vector<Claim> sweep_claims(const ReportSubject& subject) {
  std::vector<Claim> claims;
  const AlphaRuns *hard = subject.hard(), *smoothed = subject.smoothed();
  if (const auto best = hard ? best_of_mean(*hard) : std::nullopt) {
    add_improvement(*hard, *best, claims);
    if (smoothed) add_out_of_reach(*hard, *best, *smoothed, claims);
  }
  if (smoothed) add_near_one(*smoothed, claims);
  if (hard && smoothed) add_likelihood(*hard, *smoothed, claims);
  return claims;
}

std::vector<Chart> subject_sweep_charts(const ReportSubject& subject) {
  std::vector<SweptRuns> all;
  int color = 0;
  for (const AlphaRuns& smoothing : subject.smoothing) {
    SweptRuns runs{smoothing.title(), color++, {}};
    for (const ReportRun* run : smoothing.runs)
      if (run->sweep) runs.sweeps.push_back(&*run->sweep);
    if (!runs.sweeps.empty()) all.push_back(std::move(runs));
  }
  return sweep_charts(all, lowercase);
}

}  // namespace smoothlab::eval
