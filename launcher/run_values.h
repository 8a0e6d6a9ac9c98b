#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// Keys and their values, as StudyRun::values.
using RunValues = std::vector<std::pair<std::string, std::string>>;

/// As a JSON object: numbers and truth values as such, all else as text.
nlohmann::ordered_json values_json(const RunValues& values);

/// Without the keys over which results are averaged: train.seed and task.data_seed, also of other stages.
RunValues without_seeds(const RunValues& values);

/// Text as it is meant, without YAML's quotes.
std::string plain_value(const std::string& value);

}  // namespace smoothlab::launcher
