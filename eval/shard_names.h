#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// A tag that no other evaluation has; it stands in the names of an evaluation's shards, so that those of two
/// evaluations into the same path never mix. One rank makes it, the others are told.
std::string new_shard_tag();

/// Beside path "x/test.h5": "x/test.TAG.0-of-2.h5".
std::string shard_path(const std::string& path, const std::string& tag, int rank, int ranks);

/// Names of the files beside it that the logit file at `path` is made of; none where it is plain, not there
/// or not readable.
std::vector<std::string> shards_referred_to(const std::string& path);

/// After a logit file has been replaced: removes shards named after it that no file can need any more. Those
/// are the ones that only the replaced file referred to, those that are empty, and those whose writer was
/// stopped. Any other may belong to a published file that has been renamed since.
void remove_stale_shards(const std::string& path, const std::vector<std::string>& replaced,
                         const std::vector<std::string>& kept);

}  // namespace smoothlab::eval
