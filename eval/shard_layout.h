#pragma once

#include <string>
#include <vector>

#include "eval/logit_schema.h"
#include "eval/row_extents.h"

namespace smoothlab::eval {

/// Where the rows of a new shard's datasets lie in its file.
struct ShardLayout {
  std::vector<RowExtent> logits, penultimate, labels, positions, sample_ids;
  std::vector<RowExtent> log_sum_exp, label_logits, top_logits, top_classes;  ///< of a summary
};

/// Bytes of one row of all datasets of a shard.
int64_t shard_row_bytes(const LogitShape& shape);

/// Creates a shard with every dataset at its full size and `complete` = 0, /sample_id filled with −1, and
/// closes it: from here on it is a whole HDF5 file whatever happens to its writer. Throws EnvironmentError.
ShardLayout create_shard(const std::string& path, const LogitShape& shape, const LogitOrigin& origin);

/// Adds /classifier/weight [K, L] and /classifier/bias [K].
void add_classifier(const std::string& path, const std::vector<float>& weight,
                    const std::vector<float>& bias);

/// Sets `complete` = 1 in place.
void mark_complete(const std::string& path);
/// Adds the attribute `stand_ins`.
void state_stand_ins(const std::string& path, int64_t rows);

}  // namespace smoothlab::eval
