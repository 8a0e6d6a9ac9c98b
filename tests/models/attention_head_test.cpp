#include "models/attention_head.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cluster/addressed_random.h"

namespace smoothlab::models {
namespace {

// Decoding takes long sources so.
TEST(AttentionHead, QueriesInBlocksGiveTheSameBitwise) {
  HeadSize size;
  size.queries = size.keys = 201;
  size.width = 24;
  const int64_t stride = 3 * size.width;
  const AddressedRandom random(1, Purpose::generated_data, 0, 1);
  std::vector<float> rows(static_cast<size_t>(size.keys * stride));
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(random.normal(static_cast<uint32_t>(i)));
  const float *q = rows.data(), *k = q + size.width, *v = k + size.width;

  AttentionHead head;
  const auto room = static_cast<size_t>(size.keys * size.width);
  std::vector<float> whole(room), whole_sums(static_cast<size_t>(size.keys));
  head.load(size, q, stride, k, v, stride);
  head.forward(size, nullptr, whole.data(), size.width, whole_sums.data(), 1);
  for (const int64_t block : {1, 2, 7, 64, 200}) {
    std::vector<float> out(room), sums(whole_sums.size());
    for (int64_t query = 0; query < size.keys; query += block) {
      HeadSize part = size;
      part.queries = std::min(block, size.keys - query);
      head.load(part, q + query * stride, stride, k, v, stride);
      head.forward(part, nullptr, out.data() + query * size.width, size.width, sums.data() + query, 1);
    }
    EXPECT_EQ(out, whole) << block;
    EXPECT_EQ(sums, whole_sums) << block;
  }
}

}  // namespace
}  // namespace smoothlab::models
