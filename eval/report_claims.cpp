#include "eval/report_claims.h"

#include <fmt/format.h>

#include <cmath>

#include "eval/paper_results.h"

namespace smoothlab::eval {
namespace {

/// Of single runs, differences below this part of the larger one are taken for chance.
constexpr double chance = 0.05;

}  // namespace

Verdict is_lower(const SeedStatistics& lower, const SeedStatistics& higher) {
  if (lower.count == 0 || higher.count == 0) return Verdict::open;
  const double difference = higher.mean - lower.mean;
  // Of a run alone nobody knows how much its seed matters: as much as the others' do.
  const double one = lower.count > 1 ? lower.deviation : higher.deviation,
               other = higher.count > 1 ? higher.deviation : lower.deviation;
  const double error = std::sqrt(one * one / lower.count + other * other / higher.count);
  const double least = error > 0 ? 2 * error : chance * std::max(std::abs(lower.mean), std::abs(higher.mean));
  if (std::abs(difference) <= least) return Verdict::open;
  return difference > 0 ? Verdict::holds : Verdict::fails;
}

namespace {

class Claims {
 public:
  explicit Claims(const ReportSubject& subject) : hard_(subject.hard()), smoothed_(subject.smoothed()) {}

  /// `figure` is lower under smoothing, or higher.
  template <typename Figure>
  void about(const std::string& where, const std::string& says, int digits, bool lower,
             const Figure& figure) {
    if (!hard_ || !smoothed_) return;
    const SeedStatistics hard = over_runs(*hard_, figure), smooth = over_runs(*smoothed_, figure);
    if (hard.count == 0 || smooth.count == 0) return;
    claims.push_back({where, says,
                      fmt::format("{}: {}; hard targets: {}", smoothed_->title(), to_text(smooth, digits),
                                  to_text(hard, digits)),
                      lower ? is_lower(smooth, hard) : is_lower(hard, smooth)});
  }

  void about_scaling() {
    if (!hard_) return;
    const SeedStatistics before = over_runs(*hard_, calibration_error),
                         after = over_runs(*hard_, scaled_error);
    if (after.count == 0) return;
    claims.push_back({"Table 3", "temperature scaling lowers the calibration error of hard targets",
                      fmt::format("scaled: {}; as trained: {}", to_text(after, 3), to_text(before, 3)),
                      is_lower(after, before)});
  }

  void about_forgetting() {
    if (!hard_ || !smoothed_) return;
    const SeedStatistics highest = over_runs(*smoothed_, highest_information),
                         last = over_runs(*smoothed_, final_information);
    if (highest.count == 0) return;
    claims.push_back(
        {"Fig. 6", "under smoothing information rises early in training and falls later",
         fmt::format("at its highest: {}; at the end: {}", to_text(highest, 3), to_text(last, 3)),
         is_lower(last, highest)});
  }

  std::vector<Claim> claims;

 private:
  const AlphaRuns* hard_;
  const AlphaRuns* smoothed_;
};

}  // namespace

Beside beside(const std::string& what, double paper, std::optional<double> spread, const SeedStatistics& here,
              int digits, int paper_digits, bool follows) {
  Beside row;
  row.what = what;
  row.paper = spread ? fmt::format("{:.{}f} ± {:.{}f}", paper, paper_digits, *spread, paper_digits)
                     : fmt::format("{:.{}f}", paper, paper_digits);
  row.here = to_text(here, digits);
  if (here.count == 0) {
    row.text = "not measured";
    return row;
  }
  const double difference = here.mean - paper;
  const std::string by =
      fmt::format("{:.{}f} {}", std::abs(difference), digits, difference > 0 ? "higher" : "lower");
  const double deviation = std::hypot(spread.value_or(0), here.deviation);
  if (!follows) {
    row.text = by + "; the recipe differs";
  } else if (deviation == 0) {
    row.text = by + "; one run";
  } else if (std::abs(difference) <= 2 * deviation) {
    row.text = "agrees";
    row.verdict = Verdict::holds;
  } else {
    row.text = by;
    row.verdict = Verdict::fails;
  }
  return row;
}

namespace {

bool follows_paper(const ReportSubject& subject) {
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      if (!run->has_paper_recipe || !run->differences.empty()) return false;
  return true;
}

const AlphaRuns* with_alpha(const ReportSubject& subject, double alpha) {
  for (const AlphaRuns& smoothing : subject.smoothing)
    if (std::abs(smoothing.alpha - alpha) < 1e-9 && smoothing.convention == "uniform") return &smoothing;
  return nullptr;
}

}  // namespace

std::vector<Claim> claims_about(const ReportSubject& subject) {
  Claims all(subject);
  all.about("Table 3", "label smoothing lowers the calibration error", 3, true, calibration_error);
  all.about_scaling();
  for (const char* split : {"train", "validation", "test"}) {
    const std::string of = std::string(", ") + split + " split";
    all.about("Fig. 1", "label smoothing makes the clusters tighter" + of, 3, true,
              [split](const ReportRun& run) { return projected_spread(run, split); });
    all.about("Fig. 1", "the triangle of the clusters becomes more regular" + of, 3, false,
              [split](const ReportRun& run) { return projected_regularity(run, split); });
  }
  all.about_forgetting();
  all.about("Fig. 6", "information falls further from its height under smoothing", 3, false,
            lost_information);
  all.about("Fig. 6", "training ends with less information about the example under smoothing", 3, true,
            final_information);
  return all.claims;
}

std::vector<Beside> beside_paper(const ReportSubject& subject) {
  const PublishedResults* paper = published_results(subject.task, subject.model);
  if (!paper) return {};
  const bool same = follows_paper(subject);
  std::vector<Beside> rows;
  const auto add = [&](const std::string& what, double printed, std::optional<double> spread, double alpha,
                       int digits, int paper_digits, const auto& figure) {
    const AlphaRuns* runs = with_alpha(subject, alpha);
    rows.push_back(beside(what, printed, spread, runs ? over_runs(*runs, figure) : SeedStatistics{}, digits,
                          paper_digits, same));
  };
  for (const PublishedAccuracy& row : paper->accuracies)
    add(fmt::format("top-1 accuracy in %, α = {:g} (Table 2)", row.alpha), row.mean, row.spread, row.alpha, 2,
        1, final_accuracy);
  if (const auto& row = paper->calibration) {
    add("ECE, α = 0 (Table 3)", row->hard, std::nullopt, 0, 3, 3, calibration_error);
    add("ECE, α = 0, temperature-scaled", row->scaled, std::nullopt, 0, 3, 3, scaled_error);
    const bool tenths = std::abs(10 * row->temperature - std::round(10 * row->temperature)) < 1e-9;
    add("fitted temperature", row->temperature, std::nullopt, 0, 2, tenths ? 1 : 2, fitted_temperature);
    add(fmt::format("ECE, α = {:g}", row->alpha), row->smoothed, std::nullopt, row->alpha, 3, 3,
        calibration_error);
  }
  return rows;
}

}  // namespace smoothlab::eval
