#pragma once

#include <string>
#include <vector>

namespace smoothlab::data {

/// Whether a name stands for several files: it has one of * ? [ {.
bool is_shard_pattern(const std::string& path);

/// The files that a pattern names, in order: numbers in braces, "x-{000000..001281}.tar", each of which has
/// to be there; then * ? [ ] as shells know them. Throws DataError: a shard missing, no match, braces that
/// hold no two numbers.
std::vector<std::string> matching_shards(const std::string& pattern);

}  // namespace smoothlab::data
