#pragma once

#include <string>
#include <vector>

#include "eval/report_run.h"

namespace smoothlab::test {

/// A run that has ended, with this accuracy and calibration error.
inline eval::ReportRun ended_run(double alpha, uint64_t seed, double accuracy, double ece) {
  eval::ReportRun run;
  run.name = "alpha-" + std::to_string(alpha) + "-seed-" + std::to_string(seed);
  run.task = "cifar100";
  run.model = "resnet56_t2t";
  run.convention = "uniform";
  run.alpha = alpha;
  run.seed = seed;
  run.shape = {{"optimizer.lr", "0.1"}, {"train.steps", "64000"}};
  run.has_paper_recipe = true;
  eval::ReportRun::End end;
  end.step = 64000;
  end.seconds = 3600;
  end.samples_per_second = 1234;
  end.device = "cpu";
  end.processor = "a processor";
  end.precision = "bf16";
  end.program = "0.1.0";
  end.torch = "LibTorch 1.13.0";
  run.end = end;
  for (int64_t step : {1000, 32000, 64000}) {
    run.training.push_back({step, 3.0 - 2e-5 * static_cast<double>(step), 0.5});
    run.evaluations.push_back({step, "validation", accuracy, 1.1, ece});
    eval::MutualInformation information;
    information.examples = 600;
    information.draws = 5;
    information.information = 1.5 - alpha;
    information.bound = 6.397;
    information.floor = 0.1116;
    run.information.push_back({step, information});
  }
  return run;
}

/// What calibrate says of 900 rows, with this error in every bin.
inline eval::CalibrationReport calibration_with(double ece, double scaled, double temperature) {
  eval::CalibrationReport report;
  report.file = "validation.h5";
  report.rows = 900;
  report.classes = 100;
  eval::ReliabilityBins bins(15);
  for (size_t b = 0; b < 15; ++b) {
    bins.count[b] = 60;
    bins.confidence[b] = 60 * (static_cast<double>(b) + 0.5) / 15;
    bins.correct[b] = 60 * std::max(0.0, (static_cast<double>(b) + 0.5) / 15 - ece);
  }
  report.unscaled.bins = bins;
  report.unscaled.ece = ece;
  report.scaled = report.unscaled;
  report.scaled->ece = scaled;
  report.fit = eval::TemperatureFit{temperature, eval::FitEnd::interior};
  return report;
}

}  // namespace smoothlab::test
