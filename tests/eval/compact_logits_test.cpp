#include "eval/compact_logits.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "cluster/error.h"
#include "eval/calibration_report.h"
#include "eval/shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

constexpr int64_t rows = 200, classes = 40;

/// Gaussian logits, the true class's higher.
void write_gaussian(const std::string& path) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  LogitShape shape;
  shape.rows = rows;
  shape.classes = classes;
  LogitShardWriter writer(path, shape, test::some_origin());
  LogitRows batch = test::rows_of_split(shape, 0, rows);
  for (float& value : batch.logits) value = 2 * normal(random);
  for (size_t row = 0; row < batch.labels.size(); ++row)
    batch.logits[row * classes + static_cast<size_t>(batch.labels[row])] += 5;
  writer.append(std::move(batch));
  writer.close();
}

std::vector<float> logits_of(const LogitFile& file) {
  std::vector<float> values(static_cast<size_t>(file.rows() * file.classes()));
  file.read_logits(0, file.rows(), values.data());
  return values;
}

class CompactLogits : public testing::Test {
 protected:
  CompactLogits() { write_gaussian(full); }
  const test::TemporaryFolder folder;
  const std::string full = folder / "full.h5", small = folder / "small.h5";
};

TEST_F(CompactLogits, KeepTheGreatestAndTheMassOfTheRest) {
  compact_logit_file(full, small, 4, {1});
  const LogitFile file(small, Incomplete::refuse, Compact::accept);
  EXPECT_EQ(file.rows(), rows);
  EXPECT_EQ(file.classes(), classes);
  EXPECT_EQ(file.kept(), 4);
  EXPECT_TRUE(file.direct()) << "a row is read without HDF5";
  EXPECT_EQ(file.attribute("task"), "cifar10") << "attributes are copied";
  const auto before = logits_of(LogitFile(full)), after = logits_of(file);
  for (size_t row = 0; row < rows; ++row) {
    std::vector<float> sorted(before.begin() + static_cast<int64_t>(row * classes),
                              before.begin() + static_cast<int64_t>((row + 1) * classes));
    std::sort(sorted.rbegin(), sorted.rend());
    double rest_before = 0, rest_after = 0;
    for (size_t k = row * classes; k < (row + 1) * classes; ++k) {
      if (before[k] >= sorted[3]) {
        EXPECT_EQ(after[k], before[k]);
        continue;
      }
      rest_before += std::exp(static_cast<double>(before[k]));
      rest_after += std::exp(static_cast<double>(after[k]));
    }
    EXPECT_NEAR(rest_after / rest_before, 1, 1e-5) << row;
  }
}

/// γ at T = 1 is exact where the true class is kept; above, the rest is overestimated (Jensen), and keeping
/// more is better.
TEST_F(CompactLogits, TheErrorIsBoundedAndFallsWithWhatIsKept) {
  double last = 1;
  for (const int64_t top : {1, 4, 16, 39}) {
    const auto errors = compact_logit_file(full, folder / ("top-" + std::to_string(top)), top, {1, 2, 8});
    ASSERT_EQ(errors.size(), 3U);
    if (top >= 16) {
      EXPECT_NEAR(errors[0].gamma_compact, errors[0].gamma, 1e-4);
    }
    for (size_t t = 1; t < 3; ++t) {
      // Off the true class is no more than what moved in the whole.
      EXPECT_LE(std::abs(errors[t].gamma_compact - errors[t].gamma),
                errors[t].total_variation * classes / (classes - 1) + 1e-9);
    }
    EXPECT_GE(errors[2].gamma_compact, errors[2].gamma - 1e-6);
    EXPECT_LT(errors[1].total_variation, last);
    last = errors[1].total_variation;
  }
  EXPECT_LT(last, 1e-6) << "all but one is all: the rest is one value";
}

TEST_F(CompactLogits, AreNothingToBeJudgedBy) {
  compact_logit_file(full, small, 4, {1});
  try {
    const LogitFile file(small);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the greatest logits of each row only"));
  }
  EXPECT_NO_THROW(compact_logit_file(full, small, 5, {1})) << "an earlier one is replaced";
}

TEST_F(CompactLogits, RefuseWhatCannotBeKept) {
  EXPECT_THROW(compact_logit_file(full, small, 0, {1}), UsageError);
  EXPECT_THROW(compact_logit_file(full, small, classes, {1}), UsageError);
  EXPECT_THROW(compact_logit_file(full, full, 3, {1}), UsageError) << "a file in place of itself";
  std::ofstream(folder / "note.txt") << "keep me";
  EXPECT_THROW(compact_logit_file(full, folder / "note.txt", 3, {1}), UsageError);
  EXPECT_THROW(compact_logit_file(full, small, 3, {0}), UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
