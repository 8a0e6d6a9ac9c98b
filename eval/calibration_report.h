#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/logit_file.h"
#include "eval/real_accuracy.h"
#include "eval/stated_origin.h"
#include "eval/temperature.h"

namespace smoothlab::eval {

struct CalibrationOptions {
  int bins = 15;                        ///< 1 … 1000, of every ECE; the paper uses 15
  BinEdges edges = BinEdges::standard;  ///< what `ece`, `mce`, `ece_ci95` and the diagram mean
  bool fit = true;                      ///< fit a temperature, in-sample and held-out
  std::optional<double> temperature;    ///< scale by this one (> 0) instead of a fitted one
  int bootstrap = 1000;                 ///< replicates, 0 … 1,000,000; 0: no intervals
  uint64_t seed = 1;                    ///< of the bootstrap and of the two halves
  int threads = 0;                      ///< 0: as many as the machine has
  std::vector<double> gamma;            ///< temperatures at which the equivalent smoothing is wanted
};

/// Metrics of all rows, each scaled in some way. NaN: what a summary does not tell (summary_pass.h).
struct CalibrationMetrics {
  double accuracy = 0, top5_accuracy = 0;  ///< not changed by a temperature
  double nll = 0;                          ///< nats a row
  double brier = 0;                        ///< Σ_k (p_k − y_k)² a row, 0 … 2
  double ece = 0;                          ///< by the edges wanted
  double ece_standard = 0, ece_guo = 0;
  /// As torchmetrics computes it: [lo, hi), and a bin of their own for confidences that are 1 in single
  /// precision.
  double ece_torchmetrics = 0;
  double ece_adaptive = 0;   ///< bins of equal mass, see ConfidenceRanking
  double ece_classwise = 0;  ///< mean over classes, see ClasswiseBins
  double ece_debiased = 0;   ///< see debiased_error(); by the edges wanted
  double mce = 0;            ///< largest gap of a bin, by the edges wanted
  std::optional<Interval> ece_ci95;
  ReliabilityBins bins;
};

/// 2·ECE − E[ECE'], where ECE' has in each bin the accuracy redrawn from N(acc, acc(1−acc)/n): what binning
/// noise adds is estimated and taken off (Kumar et al. 2019, "Verified uncertainty calibration"; here in
/// closed form rather than by sampling). Not below 0.
double debiased_error(const ReliabilityBins& bins, double rows);

/// What a file of logits tells about calibration.
struct CalibrationReport {
  std::string file;
  int64_t rows = 0, classes = 0;
  bool summary = false;  ///< the file is one
  StatedOrigin origin;   ///< those of schema 1 that the file has, recipe text left out
  std::string recipe;    ///< its text, as far as the file has it
  /// One rank's shard of an evaluation on several, by its name: not comparable with whole evaluations.
  bool part = false;
  /// Rows share sample ids: intervals come from resampled samples, not rows.
  bool samples_repeat = false;
  CalibrationOptions options;
  CalibrationMetrics unscaled;
  /// At the temperature fitted to the same rows, as the paper does, or at the one given.
  std::optional<TemperatureFit> fit;
  std::optional<CalibrationMetrics> scaled;
  /// Each row scaled by the temperature fitted to the half of the samples that it is not in: all rows are
  /// judged, none by a temperature that has seen it. Missing where one half is empty.
  std::optional<std::array<TemperatureFit, 2>> held_out_fits;  ///< fitted to half 0, to half 1
  std::optional<CalibrationMetrics> held_out;
  std::vector<std::pair<double, double>>
      gamma;                         ///< temperature, equivalent smoothing (equivalent_smoothing.h)
  std::optional<RealAccuracy> real;  ///< by ReaL labels, where there were some; analyse() knows none
  std::vector<std::string> notes;    ///< what a reader should know, a sentence each

  /// The two held-out temperatures in one number, their geometric mean.
  std::optional<double> held_out_temperature() const;
};

/// Throws UsageError naming the option out of range.
void check(const CalibrationOptions& options);

/// Streams the file (two passes, a third only where the first sample of rows misjudged the temperature) and
/// computes everything. Results do not depend on the number of threads. Throws UsageError for options out of
/// range (also of a summary's grid), DataError for what logit_chunks.h names. `passed` is told how many more
/// rows a pass has counted, by one thread at a time.
CalibrationReport analyse(const LogitFile& file, const CalibrationOptions& options = {},
                          const std::function<void(int64_t rows)>& passed = {});

/// One flat object: file, attributes, rows, classes, options (bins_count, edges, seed, …), the metrics by
/// name, the same with _scaled and _held_out behind the name, bins, bins_scaled, bins_held_out (lists of
/// {low, high, count, confidence, accuracy}), equivalent_smoothing, temperature and how its search ended,
/// notes. What was not computed is null.
nlohmann::json to_json(const CalibrationReport& report);

/// A text table for a terminal: for each file a line unscaled, one at the fitted temperature, one held out;
/// then the notes. Ends with a newline.
std::string to_table(const std::vector<CalibrationReport>& reports);

/// α as the file states it ("0.1"), empty where it does not.
std::string alpha_of(const CalibrationReport& report);

}  // namespace smoothlab::eval
