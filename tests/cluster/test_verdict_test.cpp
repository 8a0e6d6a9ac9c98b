#include <gtest/gtest.h>

#include <filesystem>

#include "support/process.h"

namespace smoothlab::cluster {
namespace {

// How this executable ends decides what ctest shows: each test starts it again on the disabled tests below.

int exit_code_of(const std::string& names) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  return test::run_process({self, "--gtest_also_run_disabled_tests", "--gtest_filter=" + names}).exit_code;
}

TEST(TestVerdict, AFailureBesideASkipFails) {
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_Skip:TestVerdictOf.DISABLED_Failure"), 1);
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_*"), 1);
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_Failure"), 1);
}

TEST(TestVerdict, ASkipBesidePassesIsASkip) {
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_Skip:TestVerdictOf.DISABLED_Pass"), 77);
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_Skip"), 77);
  EXPECT_EQ(exit_code_of("TestVerdictOf.DISABLED_Pass"), 0);
}

TEST(TestVerdictOf, DISABLED_Pass) {
  SUCCEED();
}

TEST(TestVerdictOf, DISABLED_Skip) {
  GTEST_SKIP() << "for the tests above";
}

TEST(TestVerdictOf, DISABLED_Failure) {
  FAIL() << "for the tests above";
}

}  // namespace
}  // namespace smoothlab::cluster
