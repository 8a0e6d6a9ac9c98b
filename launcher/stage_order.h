#pragma once

#include <vector>

#include "launcher/study_file.h"

namespace smoothlab::launcher {

/// The stages of a study as indices, each after all that it comes after, else in the order of the file.
/// Throws UsageError that names the stages where they come after each other in a circle.
std::vector<size_t> stage_order(const StudyFile& study);

}  // namespace smoothlab::launcher
