#pragma once

#include <string>
#include <vector>

#include "eval/shard_names.h"

namespace smoothlab::eval {

/// Publishes shards (paths in rank order, each complete, all in the folder of `path`) as one file at `path`,
/// whole or not at all; an older file there is replaced. A single shard becomes the file itself; several are
/// joined by a virtual file that refers to them by name only, so that the folder can be moved. Afterwards
/// shards into the same path that nobody needs are removed (see remove_stale_shards; started: when this
/// evaluation began, by the clock of the file system). Throws DataError where shards do not fit together, and
/// EnvironmentError, after which the shards are gone too.
void publish_logit_file(cluster::FileSystem& files, const std::string& path,
                        const std::vector<std::string>& shards,
                        std::optional<std::filesystem::file_time_type> started = std::nullopt);
/// The same on the machine's own disk.
void publish_logit_file(const std::string& path, const std::vector<std::string>& shards);

/// Copies a logit file, virtual or not, into one plain file: all attributes and objects. Written beside `to`
/// and renamed, so that `to` is whole or as it was. Throws UsageError where `to` may not be replaced (see
/// claim_output: the file itself and its shards are inputs), DataError also where an object needs a filter
/// that this HDF5 lacks, EnvironmentError. Values are copied as they are: labels out of range and logits that
/// are no numbers too.
void pack_logit_file(const std::string& from, const std::string& to);

}  // namespace smoothlab::eval
