#pragma once

#include <optional>
#include <string>

#include "trainer/metrics_log.h"

namespace smoothlab::trainer {

/// The best of a run's evaluations so far, and by which of its figures.
struct BestEvaluation {
  std::string metric;  ///< as checkpoint.best names it
  EvaluationMetrics evaluation;
};

/// Chooses among a run's evaluations the one whose checkpoint stands for the run (checkpoint.best; paper
/// appendix A.4).
class CheckpointChoice {
 public:
  /// metric: "none" chooses nothing; "accuracy", "top5_accuracy": the highest; "nll", "brier": the lowest.
  explicit CheckpointChoice(std::string metric) : metric_(std::move(metric)) {}

  bool chooses() const { return metric_ != "none"; }
  /// The best of earlier sittings goes on competing where it was chosen by this metric on this split; says
  /// whether it does.
  bool take_over(const std::optional<BestEvaluation>& earlier, const std::string& split);
  /// Whether it is better than all that were taken. A tie is not, so that the earlier one stays, nor is a
  /// figure that is not finite.
  bool is_better(const EvaluationMetrics& evaluation) const;
  void take(const EvaluationMetrics& evaluation) { best_ = BestEvaluation{metric_, evaluation}; }
  /// None where it chooses nothing, or has not had anything to choose from.
  const std::optional<BestEvaluation>& best() const { return best_; }

 private:
  std::string metric_;
  std::optional<BestEvaluation> best_;
};

}  // namespace smoothlab::trainer
