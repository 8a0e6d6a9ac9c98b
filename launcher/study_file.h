#pragma once

#include <map>
#include <string>
#include <vector>

#include "launcher/variants.h"
#include "trainer/recipe_places.h"

namespace smoothlab::launcher {

/// A key of a recipe and a value for it, as a study gives them.
struct StudySetting {
  std::string key;
  std::string value;  ///< YAML; beginning with "=" a formula, see formula.h
  int line = 0;
};

/// What a key must be in a run of another stage: compares as `how` with the value, or is one of several.
struct StudyCondition {
  std::string key;
  std::string how;                  ///< "=", "!=", "<", "<=", ">", ">="
  std::vector<std::string> values;  ///< as a recipe writes them; several only under "="
  int line = 0;
};

/// An entry of `after`: which runs of another stage a stage comes after.
struct StudyDependence {
  std::string stage;
  std::vector<StudyCondition> where;
  std::vector<std::string> match;  ///< keys that are the same in both runs
  int line = 0;
};

/// Runs of one recipe.
struct StudyStage {
  std::string name;
  std::string recipe;  ///< path, from the current folder
  std::vector<StudySetting> set;
  std::vector<Axis> axes;                ///< of `grid`, then of `zip`
  std::map<std::string, int> key_lines;  ///< of all keys that `set` and the axes give
  std::vector<StudyDependence> after;
  int line = 0;
};

/// A study as its file says it. See docs/studies.md.
struct StudyFile {
  std::string path, name;
  std::string runs;  ///< folder of all its runs
  std::vector<StudyStage> stages;
  trainer::Place place(int line) const;
};

/// Reads a study strictly: an unknown key, of the study or of a recipe, a value that a recipe would not take,
/// an empty list and lists of a zip that are not equally long are UsageErrors that name file, line and the
/// nearest key.
StudyFile read_study(const std::string& path);
/// The same from text; `path` stands for the file in errors and recipes are relative to it.
StudyFile parse_study(const std::string& text, const std::string& path);

}  // namespace smoothlab::launcher
