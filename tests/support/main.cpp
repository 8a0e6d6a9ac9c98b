#include <gtest/gtest.h>

#include "support/ranks.h"

namespace {

/// What ctest makes of an executable's end. Later ones win, on one rank and over all of them: a failure is
/// never hidden by a skip, nor a skip by tests that passed. CMakeLists.txt names the code of a skip too.
enum Verdict { passed, skipped, failed };
constexpr int exit_codes[] = {0, 77, 1};

}  // namespace

// Multi-rank tests make their own communicator; MPI is started by the first that does.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Verdict verdict = RUN_ALL_TESTS() == 0 ? passed : failed;
  if (verdict == passed && testing::UnitTest::GetInstance()->skipped_test_count() > 0) verdict = skipped;
  return exit_codes[smoothlab::test::worst_of_ranks(verdict)];
}
