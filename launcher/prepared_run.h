#pragma once

#include <string>

#include "cluster/file_system.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// Makes the folder of a run and writes its recipe there, so that whoever trains it only needs the folder,
/// and what is edited in the meantime does not matter. Throws as RunFolder does.
void prepare_run(cluster::FileSystem& files, const StudyRun& run);

/// The path of its recipe then.
std::string prepared_recipe(const StudyRun& run);

}  // namespace smoothlab::launcher
