#pragma once

#include <string>
#include <vector>

#include "eval/hypothesis.h"
#include "eval/temperature_sweep.h"
#include "launcher/run_pieces.h"
#include "launcher/split_text.h"
#include "trainer/loaded_run.h"

namespace smoothlab::launcher {

/// Plain text that a sweep's translations are held against, and what turns them into text.
class SweepJudge {
 public:
  /// Throws DataError as SplitText::references and open_run_pieces do.
  SweepJudge(const trainer::LoadedRun& run, const SplitText& text);

  /// Gives the point its BLEU and length ratio, and the sweep BLEU's signatures. found: of each sentence the
  /// hypotheses, the best first.
  void judge(const std::vector<std::vector<eval::Hypothesis>>& found, eval::TemperatureSweep& sweep,
             eval::SweepPoint& point) const;

 private:
  RunPieces pieces_;
  std::vector<std::string> references_;
};

}  // namespace smoothlab::launcher
