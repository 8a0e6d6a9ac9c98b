#include "cluster/bucket_plan.h"

namespace smoothlab::cluster {

BucketPlan plan_buckets(const FlatLayout& layout, int64_t first_bucket_bytes, int64_t bucket_bytes) {
  BucketPlan plan;
  plan.bucket_of.resize(layout.tensors());
  const std::vector<int64_t>& order = layout.order();
  Bucket open;
  for (size_t place = 0; place < order.size(); ++place) {
    const bool last = place + 1 == order.size();
    plan.bucket_of[order[place]] = static_cast<int64_t>(plan.buckets.size());
    ++open.tensors;
    open.end = last ? layout.total() : layout.offset(order[place + 1]);
    const int64_t limit = plan.buckets.empty() ? first_bucket_bytes : bucket_bytes;
    if (!last && (open.end - open.begin) * int64_t{sizeof(float)} < limit) continue;
    plan.buckets.push_back(open);
    open = {open.end, open.end, 0};
  }
  return plan;
}

}  // namespace smoothlab::cluster
