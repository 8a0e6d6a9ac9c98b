#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// `data prepare text` (arguments are those after "prepare"): throws as data::prepare_text does.
int prepare_text_verb(const std::vector<std::string>& arguments);

/// `data verify text`: checks every file of a prepared corpus, opens its pairs, and says what is in it.
/// Throws DataError after the report where a file is not as it was written.
int verify_text(const std::string& folder, bool as_json);

struct ExportRequest {
  std::string recipe;  ///< path; a run's recipe.yaml is one
  std::string split = "test";
  std::string source, target;  ///< files to write, a sentence a line; empty: none
  bool json = false;
};

/// `data export`: writes a split of a recipe's generated text, and prints what the best predictor of it
/// reaches. Throws UsageError for another kind of data, a split that is not there, and where something else
/// stands in a file's place.
int export_text(const ExportRequest& request);

/// `data verify generated_text`: what the best predictor reaches on the splits of the default sizes.
int verify_generated_text(bool as_json);

}  // namespace smoothlab::launcher
