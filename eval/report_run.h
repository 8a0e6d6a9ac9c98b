#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/calibration_report.h"
#include "eval/mutual_information.h"
#include "eval/penultimate_projection.h"
#include "eval/temperature_sweep.h"

namespace smoothlab::eval {

/// A run as the report shows it; whoever gathers it fills in what the run has.
struct ReportRun {
  std::string name;         ///< short and its own: "hard/seed-1"
  std::string task, model;  ///< as the recipe names them
  double alpha = 0;
  std::string convention;  ///< of smoothing
  uint64_t seed = 0;
  /// Every key that shapes training, but for the three above: equal in runs of one experiment.
  std::vector<std::pair<std::string, std::string>> shape;
  bool unreadable = false;  ///< nothing but its name and problem are known
  bool has_paper_recipe = false;
  std::vector<std::string> differences;  ///< from the paper's recipe, a phrase each

  /// Whom it learnt from, and how; see trainer/teacher_record.h.
  struct Taught {
    const ReportRun* by = nullptr;  ///< the teacher, where it is among the report's runs
    std::string model;              ///< the teacher's
    std::optional<double> alpha;    ///< the teacher's; none: unknown
    std::string loss;
    double beta = 1, temperature = 1;
    double gamma = 0;  ///< equivalent smoothing
  };
  std::optional<Taught> taught;

  struct End {
    int64_t step = 0;  ///< all of them
    /// Of the checkpoint that stands for the run, where it has chosen one by this figure; "": the last.
    int64_t best_step = 0;
    std::string best;
    int64_t standing_step() const { return best.empty() ? step : best_step; }
    double seconds = 0, samples_per_second = 0;
    int ranks = 1, threads = 1;
    std::string device, processor, precision, program, torch;
  };
  std::optional<End> end;  ///< none: the run has not ended

  struct Training {
    int64_t step = 0;
    double loss = 0, accuracy = 0;
  };
  std::vector<Training> training;
  struct Evaluation {
    int64_t step = 0;
    std::string split;
    double accuracy = 0, nll = 0, ece = 0;
  };
  std::vector<Evaluation> evaluations;  ///< in the order of steps
  /// What the run is judged by: the evaluation of the checkpoint that stands for it, else the last; nullptr:
  /// there is none.
  const Evaluation* judged_by() const;

  /// Of the final logits, those of the checkpoint that stands for the run, of what was evaluated or of the
  /// split that the paper's figures are of.
  std::optional<CalibrationReport> calibration;
  struct Projection {
    PenultimateProjection projection;
    bool similar = false;  ///< two of its classes look alike: no claim is judged by it
  };
  std::vector<Projection> projections;  ///< of final logits, each of a split and three classes
  struct Information {
    int64_t step = 0;
    MutualInformation estimate;
  };
  std::vector<Information> information;   ///< in the order of steps
  std::optional<TemperatureSweep> sweep;  ///< of the final weights
  std::vector<std::string> problems;      ///< files of it that could not be used, a sentence each
};

}  // namespace smoothlab::eval
