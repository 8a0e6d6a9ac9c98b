#pragma once

#include <functional>
#include <string>

#include "eval/hdf5_output.h"

namespace smoothlab::eval {

/// Writes a logit file whole or not at all: beside it under a name of its own, synced, marked as complete,
/// renamed into place. `work` writes its objects and attributes, `complete` among them as 0. Throws what it
/// throws, and EnvironmentError where the disk fails.
void write_logit_file_whole(const std::string& path, const std::function<void(const Hdf5Output&)>& work);

}  // namespace smoothlab::eval
