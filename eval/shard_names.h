#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::eval {

/// The folder of a file, "." where its path names none.
std::string folder_of(const std::string& path);

/// A tag that no other evaluation has; it stands in the names of an evaluation's shards, so that those of two
/// evaluations into the same path never mix. One rank makes it, the others are told.
std::string new_shard_tag();

/// Beside path "x/test.h5": "x/test.TAG.0-of-2.h5".
std::string shard_path(const std::string& path, const std::string& tag, int rank, int ranks);

/// What the name of a shard says.
struct ShardName {
  std::string stem;  ///< of the logit file that it is a part of: "test"
  int rank = 0, ranks = 1;
};

/// Nothing where the file's name is not that of a shard.
std::optional<ShardName> shard_name(const std::string& path);

/// Of several files the shards whose logit file is among them too: path of the shard → path of that file.
std::map<std::string, std::string> shards_among(const std::vector<std::string>& files);

/// Where the virtual file over the shards of an evaluation is made before it gets its name.
std::string half_made_path(const std::string& first_shard);

/// Names of the files beside it that the file at `path` is made of: none where it is plain, not there or not
/// HDF5. Nothing at all where it is HDF5 but cannot be read now.
std::optional<std::vector<std::string>> shards_referred_to(const std::string& path);

/// After a logit file has been replaced: removes shards named after it that nobody needs any more. A shard is
/// needed while any HDF5 file in the folder refers to it, as a copy or a renamed file does; while its writer
/// lives; and where it has changed since `started`, for then its evaluation may still run, on a file system
/// without locks too. Nothing is removed where a file in the folder cannot be read. Does not fail: what stays
/// goes with the next evaluation.
void remove_stale_shards(cluster::FileSystem& files, const std::string& path,
                         std::optional<std::filesystem::file_time_type> started);

}  // namespace smoothlab::eval
