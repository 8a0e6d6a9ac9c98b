#pragma once

#include <string>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::data {

/// Unpacks plain files and folders of a tar or zip archive, compressed or not, under `folder`, each file
/// synced. Returns the files' names within it. Throws DataError for a damaged archive, and for one with
/// an entry that is a link or device, or whose path is absolute or leaves the folder.
std::vector<std::string> unpack(cluster::FileSystem& files, const std::string& archive,
                                const std::string& folder);

}  // namespace smoothlab::data
