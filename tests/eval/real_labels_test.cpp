#include "eval/real_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RealLabelsTest : public testing::Test {
 protected:
  RealLabels labels(const std::string& text) const {
    cluster::write_file_whole(*cluster::local_file_system(), path, text);
    return RealLabels(path);
  }
  std::string refusal(const std::string& text) const {
    try {
      labels(text);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  const test::TemporaryFolder folder;
  const std::string path = folder / "real.json";
};

// As the published file begins, and an image with several.
TEST_F(RealLabelsTest, AnItemIsAnImage) {
  const RealLabels real = labels("[[], [970, 795], [230, 231],\n [999], [0]]\n");
  EXPECT_EQ(real.images(), 5);
  EXPECT_THAT(real.of(0), IsEmpty());
  EXPECT_THAT(real.of(1), ElementsAre(970, 795));
  EXPECT_TRUE(real.holds(1, 795));
  EXPECT_FALSE(real.holds(1, 796));
  EXPECT_FALSE(real.holds(0, 0));
  EXPECT_TRUE(real.holds(3, 999));
  EXPECT_TRUE(real.holds(4, 0));
}

TEST_F(RealLabelsTest, RefusalsSayWhichItem) {
  EXPECT_THAT(refusal("[[1], [2]"), HasSubstr("no JSON (" + path + ", offset 9)"));
  EXPECT_THAT(refusal(""), HasSubstr("no JSON"));
  EXPECT_THAT(refusal("\x93NUMPY"), HasSubstr("no JSON"));
  EXPECT_THAT(refusal("{\"0\": [1]}"), HasSubstr("no JSON list of images"));
  EXPECT_THAT(refusal("[]"), HasSubstr("no JSON list of images"));
  EXPECT_THAT(refusal("[[1], 2]"), HasSubstr("no list of classes (" + path + ", item 1)"));
  EXPECT_THAT(refusal("[[1], [], [3, 1000]]"),
              HasSubstr("class 1000 is not in 0–999 (" + path + ", item 2)"));
  EXPECT_THAT(refusal("[[-1]]"), HasSubstr("class -1 is not in 0–999"));
  EXPECT_THAT(refusal("[[18446744073709551615]]"), HasSubstr("class 18446744073709551615 is not in"));
  EXPECT_THAT(refusal("[[1.0]]"), HasSubstr("no whole number but number"));
  EXPECT_THAT(refusal("[[\"tench\"]]"), HasSubstr("no whole number but string"));
  EXPECT_THAT(refusal("[[1e999]]"), HasSubstr("no class"));
  EXPECT_THAT(refusal("[[7], [4, 7, 4]]"), HasSubstr("class 4 is there twice (" + path + ", item 1)"));
  EXPECT_THROW(RealLabels(folder / "none.json"), DataError);
  EXPECT_THROW(RealLabels(folder.path()), DataError);
}

}  // namespace
}  // namespace smoothlab::eval
