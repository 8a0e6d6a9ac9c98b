#pragma once

#include <cstdint>
#include <vector>

#include "cluster/flat_layout.h"

namespace smoothlab::cluster {

/// A run of tensors that stand side by side in a flat buffer and are communicated together.
struct Bucket {
  int64_t begin = 0, end = 0;  ///< elements [begin, end) of the flat buffer
  int64_t tensors = 0;
};

struct BucketPlan {
  std::vector<Bucket> buckets;
  std::vector<int64_t> bucket_of;  ///< by tensor
};

/// Cuts a flat float32 buffer into buckets, in the order of the layout: one closes as soon as it holds its
/// limit (the rule of PyTorch DDP; Li et al., VLDB 2020, section 3.2.3). Depends on nothing but the
/// arguments.
BucketPlan plan_buckets(const FlatLayout& layout, int64_t first_bucket_bytes, int64_t bucket_bytes);

}  // namespace smoothlab::cluster
