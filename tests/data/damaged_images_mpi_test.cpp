#include "data/damaged_images.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "support/ranks.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;

/// A split of which nothing but its damage matters.
class DamagedSplit : public Dataset {
 public:
  explicit DamagedSplit(double most) : images_("index", 100, most) {}
  int64_t size() const override { return 100; }
  int64_t classes() const override { return 2; }
  std::vector<std::string> class_names() const override { return {"a", "b"}; }
  int64_t rows(int64_t) const override { return 1; }
  at::Tensor class_counts() const override { return at::tensor({50, 50}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {3, 1, 1}; }
  Batch collate(const std::vector<SampleAddress>&, Augment) const override { return {}; }
  DamagedImages* damaged_images() const override { return &images_; }

 private:
  mutable DamagedImages images_;
};

DamagedSample damaged(int64_t sample) {
  return {sample, sample + 1, "no end marker (tar, image " + std::to_string(sample) + ")"};
}

TEST(DamagedImagesMpi, RanksCountTogether) {
  auto& ranks = test::ranks();
  const auto rank = static_cast<int64_t>(ranks.rank()), size = static_cast<int64_t>(ranks.size());
  cluster::Log log(ranks.rank(), /*quiet=*/true);
  // Image 0 is found by all of them, and one more by each: size + 1, of which as many may be.
  const DamagedSplit split(static_cast<double>(size + 1) / 100);
  split.damaged_images()->add(damaged(0));
  split.damaged_images()->add(damaged(10 + rank));
  settle_damaged(split, ranks, log);
  settle_damaged(split, ranks, log);
  EXPECT_TRUE(split.damaged_images()->take_new().empty());
  // One too many, found by the last rank alone.
  std::string error;
  try {
    if (rank == size - 1) split.damaged_images()->add(damaged(50));
  } catch (const DataError& own) {
    error = own.what();
  }
  try {
    settle_damaged(split, ranks, log);
  } catch (const DataError& of_all) {
    error = of_all.what();
  }
  EXPECT_THAT(error, HasSubstr(std::to_string(size + 2) + " of 100 images found damaged"));
  EXPECT_THAT(error, HasSubstr("image 50"));
}

}  // namespace
}  // namespace smoothlab::data
