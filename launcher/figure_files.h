#pragma once

#include <string>
#include <vector>

#include "eval/chart.h"
#include "eval/figure_format.h"
#include "launcher/options.h"

namespace smoothlab::launcher {

/// Figures of one command: --figures DIR and --format LIST.
class FigureFiles {
 public:
  /// Adds the two options. `what`: "projections".
  static void add_options(Options& options, const std::string& what);

  /// Claims DIR/NAME.FORMAT for each name and format before any work (eval/output_file.h); `inputs` are never
  /// replaced. Nothing where --figures is not given. Throws UsageError, and EnvironmentError without gnuplot.
  FigureFiles(const Options& options, const std::vector<std::string>& names,
              const std::vector<std::string>& inputs);

  /// Draws charts in rows of `columns` in every format; nothing where no figures are wanted or there are no
  /// charts.
  void write(const std::string& name, const std::string& title, const std::vector<eval::Chart>& charts,
             int columns) const;

 private:
  std::string folder_;  // empty: no figures
  std::vector<eval::FigureFormat> formats_;
};

/// Words as a part of a file's name: "_" for what is no letter, digit or one of "-._".
std::string name_in_file(const std::vector<std::string>& words);

}  // namespace smoothlab::launcher
