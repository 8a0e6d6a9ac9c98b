#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/chosen_class.h"
#include "eval/logit_file.h"
#include "eval/stated_origin.h"
#include "eval/template_plane.h"

namespace smoothlab::eval {

struct ProjectionOptions {
  /// Examples of each class whose places are kept, those with the lowest sample ids; 0: all. The paper shows
  /// 100 of CIFAR. Measures are of all rows whatever it is.
  int64_t examples = 100;
  int threads = 0;  ///< 0: as many as the machine has
};

/// A row of one of the three classes.
struct ProjectedExample {
  int which = 0;  ///< of the three, 0 … 2
  int64_t sample_id = 0, row = 0;
  PlanePoint at;
};

struct ProjectedClass {
  ChosenClass chosen;
  int64_t rows = 0;
  PlanePoint mean;         ///< of its rows
  PlanePoint template_at;  ///< relative to the centroid of the three
  /// Root mean square distance of its rows to their mean, in the plane and in the whole space.
  double deviation = 0, deviation_full = 0;
};

/// A penultimate projection (paper sec. 2, fig. 1): see template_plane.h for what the plane is.
struct PenultimateProjection {
  explicit PenultimateProjection(TemplatePlane p) : plane(std::move(p)) {}
  std::string file;
  StatedOrigin origin;
  int64_t rows = 0, classes = 0, penultimate = 0;  ///< N, K, L of the file
  int64_t examples_wanted = 0;                     ///< ProjectionOptions::examples
  TemplatePlane plane;
  std::array<ProjectedClass, 3> chosen;
  std::vector<ProjectedExample> examples;  ///< by class, then sample id, then row
  /// Part of the three classes' rows whose own logit is the largest of the three.
  double accuracy = 0;
  Triangle means, templates;
  /// How tight the clusters are: the root mean square distance of rows (of all three classes) to the mean of
  /// their class, over the root mean square of the distances between the three means. 0: collapsed onto the
  /// means; smaller is tighter. None where the means coincide. In the plane, and in all L dimensions.
  std::optional<double> spread, spread_full;
  std::array<double, 3> sides_full{};  ///< distances between the means in all L dimensions: 1–2, 2–3, 3–1
};

/// Projects the rows of three classes. `classes` are three words of the command line, see choose_classes.
/// Reads labels, and of /penultimate the rows of these classes only, once. What comes out does not depend on
/// the number of threads, nor on the layout of the file. `passed` is told, by one thread at a time, how many
/// more rows are done. Throws UsageError for the classes, DataError for a file without /penultimate or
/// /classifier, with shapes that do not fit, templates on a line, labels out of range, no row of a class, or
/// activations that are not finite.
PenultimateProjection project(const LogitFile& file, const std::vector<std::string>& classes,
                              const ProjectionOptions& options = {},
                              const std::function<void(int64_t rows)>& passed = {});

/// What figures call the three classes, see chosen_class.h.
std::vector<std::string> short_names(const PenultimateProjection& projection);

/// One object: file, rows, classes, penultimate, what the file states, chosen (a list of {class, name, rows,
/// mean, template, deviation, deviation_full}), points (of {class, sample_id, row, x, y}), measures by name.
nlohmann::json to_json(const PenultimateProjection& projection);

/// Text for a terminal: a line of measures a file, in the order of step_series; of one file also a line a
/// class. Ends with a newline.
std::string to_table(const std::vector<PenultimateProjection>& projections);

}  // namespace smoothlab::eval
