#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// A value that takes the place of a recipe's own, and where it was given.
struct Override {
  std::string key;    ///< "targets.alpha"; or a block, whose keys `value` maps
  std::string value;  ///< YAML
  std::string file;   ///< empty: --set on the command line
  int line = 0;       ///< of the file, from 1
  Place place() const;
};

/// "key=value" of --set. Throws UsageError.
std::vector<Override> command_line_overrides(const std::vector<std::string>& texts);

/// The text of a recipe, parsed once, for any number of recipes that differ in some keys.
class RecipeFile {
 public:
  /// name stands for the file in errors. Throws UsageError.
  RecipeFile(const std::string& text, const std::string& name);

  /// Read and checked. Of several overrides for one key the last counts. Throws UsageError that names file
  /// and line of what is wrong.
  Recipe recipe(const std::vector<Override>& overrides) const;
  /// Each value on its own is checked, but not whether they fit together and none is missing.
  Recipe unchecked(const std::vector<Override>& overrides) const;

 private:
  struct Given;
  std::string name_;
  std::shared_ptr<const Given> given_;
};

/// Reads a file. Throws UsageError where there is none that can be read.
RecipeFile open_recipe(const std::string& path);

}  // namespace smoothlab::trainer
