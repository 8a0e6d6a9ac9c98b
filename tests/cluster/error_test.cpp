#include "cluster/error.h"

#include <gtest/gtest.h>

namespace smoothlab {
namespace {

TEST(Error, SaysWhatWhereAndWhatToDoOnOneLine) {
  const DataError error("magic number is 0x1234, not 0x803", "train-images:0", "fetch the file again");
  EXPECT_STREQ(error.what(), "magic number is 0x1234, not 0x803 (train-images:0); fetch the file again");
  EXPECT_EQ(error.code(), ExitCode::data);
}

TEST(Error, StaysOneLineWhateverItIsTold) {
  const RunError error("first\nsecond\r\t\x1b[31m", "key\nname", "do\x7fthis");
  for (const char c : std::string(error.what())) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << int{c};
  EXPECT_EQ(error.problem(), "first\nsecond\r\t\x1b[31m");
}

TEST(Error, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(RunError("stopped", "", "").what(), "stopped");
  EXPECT_STREQ(RunError("stopped", "", "try again").what(), "stopped; try again");
}

TEST(Error, KindsHaveTheirExitCodes) {
  EXPECT_EQ(static_cast<int>(UsageError("", "", "").code()), 2);
  EXPECT_EQ(static_cast<int>(DataError("", "", "").code()), 3);
  EXPECT_EQ(static_cast<int>(EnvironmentError("", "", "").code()), 4);
  EXPECT_EQ(static_cast<int>(RunError("", "", "").code()), 1);
}

}  // namespace
}  // namespace smoothlab
