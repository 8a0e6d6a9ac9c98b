#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// `data prepare text` (arguments are those after "prepare"): throws as data::prepare_text does.
int prepare_text_verb(const std::vector<std::string>& arguments);

/// `data verify text`: checks every file of a prepared corpus, opens its pairs, and says what is in it.
/// Throws DataError after the report where a file is not as it was written.
int verify_text(const std::string& folder, bool as_json);

}  // namespace smoothlab::launcher
