#include "eval/calibration_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/error.h"
#include "eval/calibration_pass.h"
#include "eval/equivalent_smoothing.h"
#include "eval/file_temperatures.h"
#include "eval/shard_names.h"
#include "eval/summary_pass.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

/// E|X| of a normal X.
double mean_of_folded_normal(double mean, double deviation) {
  if (deviation <= 0) return std::abs(mean);
  const double z = mean / deviation;
  return deviation * std::sqrt(2 / M_PI) * std::exp(-0.5 * z * z) + mean * std::erf(z / std::sqrt(2.0));
}

double torchmetrics_error(const CalibrationTally& tally) {
  ReliabilityBins bins = tally.sums.standard;
  bins.confidence.back() -= tally.saturated.confidence[0];
  bins.correct.back() -= tally.saturated.correct[0];
  return bins.expected_error(tally.sums.rows) + tally.saturated.expected_error(tally.sums.rows);
}

CalibrationMetrics metrics_of(const CalibrationTally& tally, const CalibrationOptions& options, int threads) {
  const CalibrationSums& sums = tally.sums;
  CalibrationMetrics metrics;
  metrics.accuracy = sums.accuracy();
  metrics.top5_accuracy = sums.top5_accuracy();
  metrics.nll = sums.mean_nll();
  metrics.brier = sums.mean_brier();
  metrics.bins = options.edges == BinEdges::guo ? sums.guo : sums.standard;
  metrics.ece = sums.ece(options.edges);
  metrics.ece_standard = sums.ece(BinEdges::standard);
  metrics.ece_guo = sums.ece(BinEdges::guo);
  metrics.ece_torchmetrics = torchmetrics_error(tally);
  metrics.ece_adaptive = tally.ranking.adaptive_error(options.bins);
  metrics.ece_classwise = tally.classwise.error(sums.rows);
  metrics.ece_debiased = debiased_error(metrics.bins, sums.rows);
  metrics.mce = metrics.bins.maximum_error();
  if (options.bootstrap > 0)
    metrics.ece_ci95 = tally.samples ? tally.samples->ece(options.bootstrap, 0.95, threads)
                                     : tally.cells.ece(options.bootstrap, options.seed, 0.95, threads);
  return metrics;
}

void note_end(const std::string& which, const TemperatureFit& fit, CalibrationReport& report) {
  if (fit.end == FitEnd::lower_bound)
    report.notes.push_back(
        fmt::format("{} temperature is the lowest that is searched, {}: NLL still falls there, as it does "
                    "when every row is "
                    "right.",
                    which, fit.temperature));
  if (fit.end == FitEnd::upper_bound)
    report.notes.push_back(
        fmt::format("{} temperature is the highest that is searched, {}: NLL still falls there, as it does "
                    "when logits are no "
                    "better than chance.",
                    which, fit.temperature));
  if (fit.end == FitEnd::flat)
    report.notes.push_back(
        fmt::format("{} temperature is 1 because NLL is the same at every temperature searched.", which));
}

void note_stand_ins(CalibrationReport& report) {
  const auto rows = stated_number(report.origin, "stand_ins");
  if (rows && *rows > 0)
    report.notes.push_back(fmt::format(
        "Rows of images that stood in for damaged ones: {:.0f}. What was published of the whole split is not "
        "quite comparable.",
        *rows));
}

void note_summary(const LogitFile& file, CalibrationReport& report) {
  report.summary = file.is_summary();
  if (!report.summary) return;
  const auto& grid = file.temperatures();
  report.notes.push_back(fmt::format(
      "Read from a summary: classwise ECE is not in it{}, Brier only at temperatures of {:g} and more; "
      "temperatures are searched from {:g} to {:g}, and between its {} all figures are interpolated.",
      file.kept() < std::min<int64_t>(5, file.classes()) ? ", nor top-5" : "", 2 * grid.front(), grid.front(),
      grid.back(), grid.size()));
}

void note_part(const LogitFile& file, CalibrationReport& report) {
  const auto shard = shard_name(file.path());
  report.part = shard && shard->ranks > 1;
  if (!report.part) return;
  int64_t first = 0, last = 0;
  file.read_sample_ids(0, 1, &first);
  file.read_sample_ids(file.rows() - 1, 1, &last);
  report.notes.push_back(fmt::format(
      "This is a part of an evaluation, the rows of rank {} of {} (samples {}-{}): it stands in no "
      "comparison. The whole is read from {}.h5 beside it.",
      shard->rank, shard->ranks, first, last, shard->stem));
}

}  // namespace

double debiased_error(const ReliabilityBins& bins, double rows) {
  double error = 0;
  for (size_t b = 0; b < bins.count.size(); ++b) {
    const double n = bins.count[b];
    if (n == 0) continue;
    const double accuracy = bins.correct[b] / n, gap = accuracy - bins.confidence[b] / n;
    error +=
        n / rows * (2 * std::abs(gap) - mean_of_folded_normal(gap, std::sqrt(accuracy * (1 - accuracy) / n)));
  }
  return std::max(0.0, error);
}

std::optional<double> CalibrationReport::held_out_temperature() const {
  if (!held_out_fits) return std::nullopt;
  return std::sqrt((*held_out_fits)[0].temperature * (*held_out_fits)[1].temperature);
}

void check(const CalibrationOptions& options) {
  const auto reject = [](const std::string& what, const std::string& where, const std::string& remedy) {
    throw UsageError(what, where, remedy);
  };
  if (options.bins < 1 || options.bins > 1000)
    reject(fmt::format("number of bins {} is not in 1–1000", options.bins), "bins", "15 is the usual one");
  if (options.bootstrap < 0 || options.bootstrap > 1000000)
    reject(fmt::format("{} bootstrap replicates are not in 0–1000000", options.bootstrap), "bootstrap",
           "1000 is the usual number, 0 leaves intervals out");
  if (options.threads < 0 || options.threads > 1024)
    reject(fmt::format("{} threads are not in 0–1024", options.threads), "threads", "0 takes all cores");
  if (options.temperature && !(std::isfinite(*options.temperature) && *options.temperature > 0))
    reject(fmt::format("temperature {} is not positive and finite", *options.temperature), "temperature",
           "1 leaves logits as they are");
}

CalibrationReport analyse(const LogitFile& file, const CalibrationOptions& options,
                          const std::function<void(int64_t rows)>& passed) {
  check(options);
  const int threads = thread_count(options.threads);
  CalibrationReport report;
  report.file = file.path();
  report.rows = file.rows();
  report.classes = file.classes();
  report.options = options;
  report.origin = stated_origin(file);
  report.recipe = file.attribute("recipe");
  note_stand_ins(report);
  note_summary(file, report);
  note_part(file, report);
  if (!options.gamma.empty()) {
    if (report.summary)
      throw UsageError("the equivalent smoothing is not in a summary", file.path(),
                       "evaluate again and keep full logits, or leave --gamma out");
    const std::vector<double> gamma = equivalent_smoothing(file, options.gamma).gamma();
    for (size_t i = 0; i < gamma.size(); ++i) report.gamma.emplace_back(options.gamma[i], gamma[i]);
  }

  const auto edges = options.bootstrap > 0 ? std::optional(options.edges) : std::nullopt;
  report.samples_repeat = samples_repeat(file);
  const auto sample_seed = edges && report.samples_repeat ? std::optional(options.seed) : std::nullopt;
  // Classwise bins of a summary stay empty.
  const int64_t classwise = report.summary ? 1 : file.classes();
  const auto tally = [&] { return CalibrationTally(classwise, options.bins, edges, sample_seed); };
  const auto judged_by = [&](const CalibrationTally& all) {
    CalibrationMetrics metrics = metrics_of(all, options, threads);
    if (report.summary) metrics.ece_classwise = std::numeric_limits<double>::quiet_NaN();
    return metrics;
  };
  GridNll grid_nll;
  const auto pass = [&](const std::vector<JudgedTemperature>& temperatures, SlopeNodes nodes,
                        HalfSlopes* slopes) {
    if (report.summary)
      summary_pass(file, options.seed, temperatures,
                   grid_nll.rows[0] + grid_nll.rows[1] > 0 ? nullptr : &grid_nll, passed);
    else
      calibration_pass(file, threads, options.seed, temperatures, nodes, slopes, passed);
  };
  const bool fit = options.fit && !options.temperature;
  std::optional<FileTemperatures> temperatures;
  if (fit && !report.summary) temperatures.emplace(file, options.seed);
  {
    CalibrationTally unscaled = tally();
    std::vector<JudgedTemperature> judged{{{1, 1}, &unscaled}};
    std::optional<CalibrationTally> given;
    if (options.temperature) {
      given.emplace(tally());
      judged.push_back({{*options.temperature, *options.temperature}, &*given});
    }
    const auto nodes = temperatures ? temperatures->wanted() : std::nullopt;
    HalfSlopes slopes;
    pass(judged, nodes.value_or(SlopeNodes{}), nodes ? &slopes : nullptr);
    if (nodes) temperatures->add(*nodes, slopes);
    report.unscaled = judged_by(unscaled);
    if (given) {
      report.fit = TemperatureFit{*options.temperature, FitEnd::given};
      report.scaled = judged_by(*given);
    }
  }
  if (!fit) return report;

  if (report.summary) {
    const GridFits fits = fit_temperatures(TemperatureGrid(file.temperatures()), grid_nll);
    report.fit = fits.all;
    report.held_out_fits = fits.halves;
  } else {
    while (const auto nodes = temperatures->wanted()) {
      HalfSlopes slopes;
      pass({}, *nodes, &slopes);
      temperatures->add(*nodes, slopes);
    }
    report.fit = temperatures->of_all();
    report.held_out_fits = temperatures->of_halves();
  }
  note_end("In-sample", *report.fit, report);
  CalibrationTally scaled = tally(), held_out = tally();
  const double t = report.fit->temperature;
  std::vector<JudgedTemperature> judged{{{t, t}, &scaled}};
  if (report.held_out_fits) {
    const auto& fits = *report.held_out_fits;
    judged.push_back({{fits[1].temperature, fits[0].temperature}, &held_out});
    note_end("One held-out", fits[0], report);
    note_end("One held-out", fits[1], report);
  } else {
    report.notes.emplace_back("No held-out temperature: one of the two halves has no sample.");
  }
  pass(judged, {}, nullptr);
  report.scaled = judged_by(scaled);
  if (report.held_out_fits) report.held_out = judged_by(held_out);
  return report;
}

}  // namespace smoothlab::eval
