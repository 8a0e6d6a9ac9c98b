#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "eval/penultimate_projection.h"
#include "eval/printable.h"
#include "eval/projection_figure.h"
#include "launcher/analysis_progress.h"
#include "launcher/each_file.h"
#include "launcher/figure_files.h"
#include "launcher/given_files.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

/// "Penultimate layer: airplane, automobile, bird".
std::string title_of(const eval::PenultimateProjection& projection) {
  return "Penultimate layer: " +
         eval::printable(fmt::format("{}", fmt::join(eval::short_names(projection), ", ")));
}

}  // namespace

int project_verb(const std::vector<std::string>& arguments) {
  Options options(
      "project FILE... --classes A,B,C [--examples N] [--figures DIR] [--json]",
      "The paper's penultimate projection: activations of three classes on the plane through their\n"
      "templates, how tight their clusters are and how regular a triangle they form. Of logit files with\n"
      "/penultimate and /classifier; files of several steps of a run are also drawn against steps.");
  options.list("classes", "A,B,C", "three names or numbers of classes")
      .value("examples", "N", "of each class shown and listed, lowest sample ids first; 0: all", "100")
      .value("threads", "N", "0: as many as there are cores", "0");
  FigureFiles::add_options(options, "projections");
  options.flag("json", "print one JSON object, for several files a list of them").epilogue(each_file_help());
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto classes = eval::split_classes(options.texts("classes"), 3, "--classes");
  const eval::ProjectionOptions projection_options{options.integer("examples", 0, INT64_C(1) << 40),
                                                   static_cast<int>(options.integer("threads", 0, 1024))};
  const bool one_given = options.words().size() == 1;
  const auto files = whole_files(options.words());
  const std::string name = "projection-" + name_in_file(classes), trends = name + "-steps";
  const FigureFiles figures(
      options, files.size() > 1 ? std::vector<std::string>{name, trends} : std::vector<std::string>{name},
      options.words());

  std::vector<eval::PenultimateProjection> projections;
  size_t number = 0;
  const int code = for_each_file(files, [&](const std::string& path) {
    const eval::LogitFile file(path);
    AnalysisProgress progress(numbered(++number, files.size(), path), file.rows(), 1);
    projections.push_back(
        eval::project(file, classes, projection_options, [&](int64_t rows) { progress.add(rows); }));
  });
  if (options.has("json")) {
    print_each(projections, one_given);
  } else {
    std::cout << eval::to_table(projections) << std::flush;
  }
  if (projections.empty()) return code;
  const std::string title = title_of(projections.front());
  const auto panels = eval::projection_grid(projections), steps = eval::projection_trends(projections);
  figures.write(name, title, panels.charts, panels.columns);
  figures.write(trends, title, steps.charts, steps.columns);
  return code;
}

}  // namespace smoothlab::launcher
