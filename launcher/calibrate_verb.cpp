#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/calibration_page.h"
#include "eval/calibration_report.h"
#include "eval/calibration_trends.h"
#include "eval/gnuplot.h"
#include "eval/output_file.h"
#include "eval/reliability_figure.h"
#include "eval/smoothing_comparison.h"
#include "launcher/analysis_progress.h"
#include "launcher/each_file.h"
#include "launcher/given_files.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

eval::CalibrationOptions calibration_options(const Options& options) {
  eval::CalibrationOptions result;
  result.bins = static_cast<int>(options.integer("bins", 1, 1000));
  const std::string edges = options.text("edges");
  if (edges == "guo")
    result.edges = eval::BinEdges::guo;
  else if (edges != "standard")
    throw UsageError("unknown edges '" + edges + "'", "--edges", "use one of: standard, guo");
  result.bootstrap = static_cast<int>(options.integer("bootstrap", 0, 1000000));
  result.seed = static_cast<uint64_t>(options.integer("seed", 0, INT64_C(1) << 53));
  result.threads = static_cast<int>(options.integer("threads", 0, 1024));
  result.fit = !options.has("no-fit");
  if (options.has("temperature") && options.has("no-fit"))
    throw UsageError("--temperature scales and --no-fit leaves scaling out", "calibrate", "give one of them");
  if (options.has("temperature")) result.temperature = options.number("temperature", 1e-3, 1e3);
  if (options.has("gamma")) result.gamma = options.numbers("gamma", 1e-3, 1e3);
  return result;
}

/// "runs/a/logits/test.h5" → "test", beside figures of other files "a-test", and with its whole path where
/// that is taken: figures of several files do not replace each other.
std::vector<std::string> figure_stems(const std::string& folder, const std::vector<std::string>& files) {
  std::map<std::string, std::set<std::string>> taken;
  std::vector<std::string> stems;
  for (const auto& file : files) {
    const std::filesystem::path path(file);
    std::string stem = path.stem().string();
    const auto run =
        path.parent_path().filename() == "logits" ? path.parent_path().parent_path() : path.parent_path();
    if (files.size() > 1 && run.has_filename()) stem = run.filename().string() + "-" + stem;
    taken[stem].insert(file);
    stems.push_back(stem);
  }
  for (size_t i = 0; i < files.size(); ++i) {
    if (taken[stems[i]].size() > 1) {
      stems[i] = std::filesystem::path(files[i]).lexically_normal().replace_extension().string();
      std::replace(stems[i].begin(), stems[i].end(), '/', '-');
      stems[i].erase(0, stems[i].find_first_not_of(".-"));
    }
    stems[i] = folder + "/" + stems[i];
  }
  return stems;
}

/// Where pages and figures go; empty where none are wanted.
struct Outputs {
  std::string page;
  std::vector<std::string> figures;  ///< a stem a file
  std::string trends;                ///< stem of what goes against steps
  std::vector<eval::FigureFormat> formats;
};

/// What would fail at the end is better told at once. `given`: all files of the command.
Outputs claim_outputs(const Options& options, const std::vector<std::string>& files,
                      const std::vector<std::string>& given) {
  Outputs outputs;
  std::vector<eval::Output> claimed;
  if (options.has("figures")) {
    eval::require_gnuplot();
    outputs.figures = figure_stems(options.text("figures"), files);
    outputs.formats = eval::figure_formats(options.text("format"), "--format");
    outputs.trends = options.text("figures") + "/calibration-steps";
    auto stems = outputs.figures;
    stems.push_back(outputs.trends);
    for (const auto& stem : stems)
      for (const auto format : outputs.formats)
        claimed.push_back({stem + "." + eval::name_of(format), eval::output_kind(format)});
  }
  if (options.has("page")) {
    outputs.page = options.text("page");
    claimed.push_back({outputs.page, eval::OutputKind::page});
  }
  eval::claim_outputs(claimed, given);
  return outputs;
}

eval::CalibrationReport analyse(const std::string& path, const std::string& name,
                                const eval::CalibrationOptions& options,
                                const std::optional<eval::RealLabels>& real_labels) {
  const eval::LogitFile file(path, eval::Incomplete::refuse, eval::Compact::refuse, eval::Summary::accept);
  std::optional<eval::RealAccuracy> real;
  if (real_labels) real = eval::real_accuracy(file, *real_labels, options.threads);
  AnalysisProgress progress(name, file.rows(), options.fit && !options.temperature ? 2 : 1);
  auto report = eval::analyse(file, options, [&progress](int64_t rows) { progress.add(rows); });
  report.real = real;
  if (real && !real->doubt().empty()) report.notes.push_back(real->doubt());
  return report;
}

/// Of files of several steps of a run.
void write_trends(const std::vector<eval::CalibrationReport>& reports, const Outputs& outputs) {
  const auto charts = outputs.trends.empty() ? std::vector<eval::Chart>() : eval::calibration_trends(reports);
  if (charts.empty()) return;
  for (const auto format : outputs.formats)
    cluster::write_file_whole(*cluster::local_file_system(), outputs.trends + "." + eval::name_of(format),
                              eval::draw_charts("Calibration while training", charts, 3, format));
}

void print(const std::vector<eval::CalibrationReport>& reports, bool one_file, bool json) {
  if (json) {
    print_each(reports, one_file);
  } else {
    std::cout << eval::to_table(reports);
    const auto rows = eval::compare_smoothing(reports);
    if (eval::has_both_sides(rows))
      std::cout << "\nWhat smoothing did to calibration\n" << eval::to_text(rows);
    std::cout << std::flush;
  }
}

}  // namespace

int calibrate_verb(const std::vector<std::string>& arguments) {
  Options options(
      "calibrate FILE... [--json] [--figures DIR] [--page FILE]",
      "Accuracy, top-5, NLL, Brier, the ECE family and a fitted temperature, before and after scaling, of\n"
      "any HDF5 file with /logits [N, K] and /labels [N]; of files that state their alpha also the table\n"
      "that sets hard against smoothed targets. A shard is left out where its whole file is given too.");
  options.value("bins", "B", "confidence bins", "15")
      .value("edges", "NAME", "standard: [lo, hi), last closed; guo: (lo, hi]", "standard")
      .value("temperature", "T", "scale by this temperature instead of fitting one")
      .flag("no-fit", "fit no temperature and report nothing scaled")
      .value("gamma", "T,...", "equivalent smoothing of the outputs at these temperatures, as of a teacher")
      .value(
          "real", "FILE",
          "ReaL labels of ImageNet's validation images (real.json): also how often the top prediction is one of them")
      .value("bootstrap", "N", "replicates of the 95 % interval of ECE; 0: none", "1000")
      .value("seed", "S", "of the bootstrap and the held-out halves", "1")
      .value("threads", "N", "0: as many as there are cores", "0")
      .value("figures", "DIR",
             "write reliability diagrams, and of several steps of a run how calibration went on")
      .value("format", "LIST", "of svg, png, pdf: what the diagrams are written as", "svg,png")
      .value("page", "FILE", "write one HTML page with the tables and the diagrams side by side")
      .flag("json", "print one JSON object, for several files a list of them")
      .epilogue(each_file_help());
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto calibration = calibration_options(options);
  eval::check(calibration);
  const bool one_given = options.words().size() == 1;
  const auto files = whole_files(options.words());
  auto given = options.words();
  if (options.has("real")) given.push_back(options.text("real"));
  const Outputs outputs = claim_outputs(options, files, given);
  std::optional<eval::RealLabels> real;
  if (options.has("real")) real.emplace(options.text("real"));

  std::vector<eval::CalibrationReport> reports;
  size_t number = 0;
  const int code = for_each_file(files, [&](const std::string& path) {
    const size_t at = number++;
    reports.push_back(analyse(path, numbered(number, files.size(), path), calibration, real));
    if (!outputs.figures.empty())
      eval::write_reliability_figures(reports.back(), outputs.figures[at], outputs.formats);
  });
  if (!reports.empty() || !one_given) print(reports, one_given, options.has("json"));
  write_trends(reports, outputs);
  if (!reports.empty() && !outputs.page.empty())
    cluster::write_file_whole(*cluster::local_file_system(), outputs.page, eval::calibration_page(reports));
  return code;
}

}  // namespace smoothlab::launcher
