#pragma once

#include <set>
#include <string>

#include "cluster/file_system.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// study.json in the folder of a study: what it consists of, for people and other programs, and which of its
/// runs have been whole, so that one whose folder is gone since is known for it.
void write_record(cluster::FileSystem& files, const StudyPlan& plan, const std::set<std::string>& done);

/// Names of the runs that have been whole; empty where there is no record, or none that can be read.
std::set<std::string> recorded_as_done(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::launcher
