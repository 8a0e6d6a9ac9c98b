#pragma once

#include <string>

#include "data/labelled_images.h"
#include "data/task.h"

namespace smoothlab::data {

/// The folder itself, or the set's own folder within it where that is what `path` holds: a set "mnist" under
/// "path/mnist", CIFAR under the name that its archive unpacks to. Throws UsageError where path is empty.
std::string set_folder(const std::string& data, const std::string& path);

/// Opens the images of a set by name: "mnist", "idx", "cifar10", "cifar100", "generated". Throws DataError
/// (missing or damaged files), UsageError (unknown name, options out of range).
ImageSplits open_image_set(const TaskOptions& options);

}  // namespace smoothlab::data
