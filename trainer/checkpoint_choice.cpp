#include "trainer/checkpoint_choice.h"

#include <cmath>

namespace smoothlab::trainer {
namespace {

/// The greater the better.
double merit(const std::string& metric, const EvaluationMetrics& evaluation) {
  if (metric == "accuracy") return evaluation.accuracy;
  if (metric == "top5_accuracy") return evaluation.top5_accuracy;
  return -(metric == "nll" ? evaluation.nll : evaluation.brier);
}

}  // namespace

bool CheckpointChoice::take_over(const std::optional<BestEvaluation>& earlier, const std::string& split) {
  if (!earlier || earlier->metric != metric_ || earlier->evaluation.split != split) return false;
  best_ = earlier;
  return true;
}

bool CheckpointChoice::is_better(const EvaluationMetrics& evaluation) const {
  const double candidate = merit(metric_, evaluation);
  if (!chooses() || !std::isfinite(candidate)) return false;
  return !best_ || candidate > merit(metric_, best_->evaluation);
}

}  // namespace smoothlab::trainer
