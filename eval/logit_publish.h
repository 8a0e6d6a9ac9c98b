#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// A tag that no other evaluation has; it stands in the names of an evaluation's shards, so that those of two
/// evaluations into the same path never mix. One rank makes it, the others are told.
std::string new_shard_tag();

/// Beside path "x/test.h5": "x/test.TAG.0-of-2.h5".
std::string shard_path(const std::string& path, const std::string& tag, int rank, int ranks);

/// Publishes shards (paths in rank order, each complete, all in the folder of `path`) as one file at `path`,
/// whole or not at all; an older file there is replaced. A single shard becomes the file itself; several are
/// joined by a virtual file that refers to them by name only, so that the folder can be moved. Afterwards shards
/// of older evaluations into the same path are removed. Throws DataError where shards do not fit together.
void publish_logit_file(const std::string& path, const std::vector<std::string>& shards);

/// Copies a logit file, virtual or not, into one plain file: all attributes and objects. Written beside `to`
/// and renamed.
void pack_logit_file(const std::string& from, const std::string& to);

}  // namespace smoothlab::eval
