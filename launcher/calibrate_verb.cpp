#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "cluster/nearest_name.h"
#include "eval/calibration_page.h"
#include "eval/calibration_report.h"
#include "eval/gnuplot.h"
#include "eval/reliability_figure.h"
#include "eval/smoothing_comparison.h"
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
    throw UsageError("unknown edges '" + edges + "'", "--edges", suggest_name(edges, {"standard", "guo"}));
  result.bootstrap = static_cast<int>(options.integer("bootstrap", 0, 1000000));
  result.seed = static_cast<uint64_t>(options.integer("seed", 0, INT64_C(1) << 53));
  result.threads = static_cast<int>(options.integer("threads", 0, 1024));
  result.fit = !options.has("no-fit");
  if (options.has("temperature")) result.temperature = options.number("temperature", 1e-3, 1e3);
  return result;
}

/// "runs/a/logits/test.h5" → "DIR/a-logits-test": figures of several runs do not overwrite each other.
std::string figure_stem(const std::string& folder, const std::string& file, bool alone) {
  const std::filesystem::path path(file);
  std::string stem = path.stem().string();
  if (!alone) {
    const auto run =
        path.parent_path().filename() == "logits" ? path.parent_path().parent_path() : path.parent_path();
    if (run.has_filename()) stem = run.filename().string() + "-" + stem;
  }
  return folder + "/" + stem;
}

/// "2 of 3: runs/a/logits/test.h5: 120000 of 400000 rows, 1200000 rows/s, 0 s left", once it takes long
/// enough to be wondered about.
class AnalysisProgress {
 public:
  /// passes: how many times the file is likely to be read.
  AnalysisProgress(cluster::Log& log, std::string name, int64_t rows, int passes)
      : log_(log), name_(std::move(name)), total_(rows * passes) {}

  void add(int64_t rows) {
    done_ += rows;
    const auto now = Clock::now();
    if (now - shown_ < std::chrono::milliseconds(200) || now - start_ < std::chrono::seconds(2)) return;
    shown_ = now;
    const double rate = static_cast<double>(done_) / std::chrono::duration<double>(now - start_).count();
    log_.progress(fmt::format("{}: {} of {} rows read, {:.0f} rows/s, {:.0f} s left", name_, done_,
                              std::max(done_, total_), rate,
                              static_cast<double>(std::max<int64_t>(0, total_ - done_)) / rate));
  }

 private:
  using Clock = std::chrono::steady_clock;
  cluster::Log& log_;
  std::string name_;
  int64_t total_, done_ = 0;
  Clock::time_point start_ = Clock::now(), shown_;
};

/// What could be judged, and the first file that could not.
struct Analysis {
  std::vector<eval::CalibrationReport> reports;
  std::exception_ptr failure;
};

Analysis analyse_all(const std::vector<std::string>& paths, const eval::CalibrationOptions& options) {
  cluster::Log log(0);
  Analysis analysis;
  int number = 0;
  for (const auto& path : paths) {
    const std::string name =
        paths.size() == 1 ? path : fmt::format("{} of {}: {}", ++number, paths.size(), path);
    try {
      const eval::LogitFile file(path);
      AnalysisProgress progress(log, name, file.rows(), options.fit && !options.temperature ? 2 : 1);
      analysis.reports.push_back(
          eval::analyse(file, options, [&progress](int64_t rows) { progress.add(rows); }));
    } catch (const Error& error) {
      // One bad file among many costs the others nothing. The first becomes the program's own error.
      if (!analysis.failure)
        analysis.failure = std::current_exception();
      else
        log.warning("{}", error.what());
    }
    log.progress_done();
  }
  return analysis;
}

void print(const std::vector<eval::CalibrationReport>& reports, bool one_file, bool json) {
  if (json && one_file) {
    std::cout << eval::to_json(reports.front()).dump(2) << std::endl;
  } else if (json) {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& report : reports) all.push_back(eval::to_json(report));
    std::cout << all.dump(2) << std::endl;
  } else {
    std::cout << eval::to_table(reports);
    const auto rows = eval::compare_smoothing(reports);
    if (std::any_of(rows.begin(), rows.end(),
                    [](const auto& row) { return row.hard_ece && row.smoothed_ece; }))
      std::cout << "\nWhat smoothing did to calibration\n" << eval::to_text(rows);
    std::cout << std::flush;
  }
}

void make_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path().string();
  if (!folder.empty()) cluster::local_file_system()->make_folders(folder);
}

}  // namespace

int calibrate_verb(const std::vector<std::string>& arguments) {
  Options options(
      "calibrate FILE... [--json] [--figures DIR] [--page FILE]",
      "Accuracy, top-5, NLL, Brier, the ECE family and a fitted temperature, before and after scaling, of\n"
      "any HDF5 file with /logits [N, K] and /labels [N]; of files that state their alpha also the table\n"
      "that sets hard against smoothed targets.");
  options.value("bins", "B", "confidence bins", "15")
      .value("edges", "NAME", "standard: [lo, hi), last closed; guo: (lo, hi]", "standard")
      .value("temperature", "T", "scale by this temperature instead of fitting one")
      .flag("no-fit", "no temperature")
      .value("bootstrap", "N", "replicates of the 95 % interval of ECE; 0: none", "1000")
      .value("seed", "S", "of the bootstrap and the held-out halves", "1")
      .value("threads", "N", "0: as many as there are cores", "0")
      .value("figures", "DIR", "write reliability diagrams as SVG and PNG")
      .value("page", "FILE", "write one HTML page with the tables and the diagrams side by side")
      .flag("json", "print one JSON object, for several files a list of them");
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto calibration = calibration_options(options);
  eval::check(calibration);
  // What would fail at the end is better told at once.
  if (options.has("figures")) {
    eval::require_gnuplot();
    cluster::local_file_system()->make_folders(options.text("figures"));
  }
  if (options.has("page")) make_folder_of(options.text("page"));

  const bool one_file = options.words().size() == 1;
  const Analysis analysis = analyse_all(options.words(), calibration);
  const auto& reports = analysis.reports;
  if (!reports.empty()) {
    print(reports, one_file, options.has("json"));
    if (options.has("page"))
      cluster::write_file_whole(*cluster::local_file_system(), options.text("page"),
                                eval::calibration_page(reports));
    if (options.has("figures"))
      for (const auto& report : reports)
        eval::write_reliability_figures(report, figure_stem(options.text("figures"), report.file, one_file));
  }
  if (analysis.failure) std::rethrow_exception(analysis.failure);
  return 0;
}

}  // namespace smoothlab::launcher
