#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "cluster/nearest_name.h"
#include "eval/calibration_page.h"
#include "eval/calibration_report.h"
#include "eval/reliability_figure.h"
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
    const auto run = path.parent_path().filename() == "logits" ? path.parent_path().parent_path()
                                                               : path.parent_path();
    if (run.has_filename()) stem = run.filename().string() + "-" + stem;
  }
  return folder + "/" + stem;
}

}  // namespace

int calibrate_verb(const std::vector<std::string>& arguments) {
  Options options(
      "calibrate FILE... [--json] [--figures DIR] [--page FILE]",
      "Accuracy, top-5, NLL, Brier, the ECE family and a fitted temperature, before and after scaling, of\n"
      "any HDF5 file with /logits [N, K] and /labels [N].");
  options.value("bins", "B", "confidence bins", "15")
      .value("edges", "NAME", "standard: [lo, hi), last closed; guo: (lo, hi]", "standard")
      .value("temperature", "T", "scale by this temperature instead of fitting one")
      .flag("no-fit", "no temperature")
      .value("bootstrap", "N", "replicates of the 95 % interval of ECE; 0: none", "1000")
      .value("seed", "S", "of the bootstrap and the held-out halves", "1")
      .value("threads", "N", "0: as many as there are cores", "0")
      .value("figures", "DIR", "write reliability diagrams as SVG and PNG")
      .value("page", "FILE", "write one HTML page with the table and the diagrams side by side")
      .flag("json", "print a list of JSON objects, one a file");
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto calibration = calibration_options(options);
  eval::check(calibration);

  cluster::Log log(0);
  std::vector<eval::CalibrationReport> reports;
  for (const auto& path : options.words()) {
    if (options.words().size() > 1)
      log.progress(fmt::format("{} of {}: {}", reports.size() + 1, options.words().size(), path));
    reports.push_back(eval::analyse(eval::LogitFile(path), calibration));
  }
  log.progress_done();
  const auto files = cluster::local_file_system();
  if (options.has("figures")) {
    files->make_folders(options.text("figures"));
    for (const auto& report : reports)
      eval::write_reliability_figures(
          report, figure_stem(options.text("figures"), report.file, reports.size() == 1));
  }
  if (options.has("page"))
    cluster::write_file_whole(*files, options.text("page"), eval::calibration_page(reports));
  if (options.has("json")) {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& report : reports) all.push_back(eval::to_json(report));
    std::cout << all.dump(2) << '\n';
  } else {
    std::cout << eval::to_table(reports);
  }
  return 0;
}

}  // namespace smoothlab::launcher
