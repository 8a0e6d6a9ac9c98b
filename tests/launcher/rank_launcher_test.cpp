#include "launcher/rank_launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::launcher {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// A variable of the environment, put back at the end.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    if (value)
      setenv(name, value, 1);
    else
      unsetenv(name);
  }
  ~Variable() {
    if (before_.empty())
      unsetenv(name_);
    else
      setenv(name_, before_.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

Job job(int ranks) {
  return {ranks, {"train", "a.yaml"}, "go on with: smoothlab train a.yaml --resume"};
}

/// A machine with an srun and an mpirun that are never started.
class RankLauncher : public testing::Test {
 protected:
  RankLauncher() {
    for (const char* name : {"srun", "mpirun"}) {
      std::ofstream(folder / name) << "#!/bin/sh\n";
      std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
    }
  }
  test::TemporaryFolder folder;
  Variable path{"PATH", folder.path().c_str()};
  Variable no_job{"SLURM_JOB_ID", nullptr}, no_cores{"SLURM_CPUS_PER_TASK", nullptr};
};

// Open MPI counts physical cores as slots, so that two ranks on two hyperthreads were refused.
TEST_F(RankLauncher, MpirunMayPutMoreRanksThanItCountsSlots) {
  const auto command = rank_command(job(2));
  EXPECT_EQ(command.front(), folder / "mpirun");
  EXPECT_THAT(command, Contains("--oversubscribe"));
  EXPECT_EQ(std::vector<std::string>(command.end() - 2, command.end()),
            (std::vector<std::string>{"train", "a.yaml"}));
}

TEST_F(RankLauncher, SrunIsToldTheCoresOfATask) {
  const Variable allocation("SLURM_JOB_ID", "7");
  EXPECT_THAT(rank_command(job(4)), Contains("--ntasks=4"));
  EXPECT_THAT(rank_command(job(4)), Not(Contains(HasSubstr("--cpus-per-task"))));
  const Variable cores("SLURM_CPUS_PER_TASK", "6");
  EXPECT_EQ(rank_command(job(4)).front(), folder / "srun");
  EXPECT_THAT(rank_command(job(4)), Contains("--cpus-per-task=6"));
}

// The first rank that ended with 75 used to make srun kill the others.
TEST_F(RankLauncher, SrunLetsRanksEndOneAfterTheOtherButNotWaitForEver) {
  const Variable allocation("SLURM_JOB_ID", "7");
  EXPECT_THAT(rank_command(job(4)), Contains("--kill-on-bad-exit=0"));
  EXPECT_THAT(rank_command(job(4)), Contains("--wait=20"));
}

int exited(int code) {
  return code << 8;
}

TEST_F(RankLauncher, CodesOfTheContractPass) {
  for (const int code : {0, 1, 2, 3, 4, 75})
    EXPECT_EQ(exit_code_of_job(exited(code), "/bin/mpirun", job(2)), code);
}

Error error_of(int status, const std::string& unexplained = "") {
  try {
    exit_code_of_job(status, "/bin/mpirun", job(2), unexplained);
  } catch (const Error& error) {
    return error;
  }
  return UsageError("nothing was thrown", "", "");
}

// A killed rank used to end the job with 137 and no word.
TEST_F(RankLauncher, ARankThatASignalEndedIsToldOf) {
  const Error killed = error_of(exited(128 + 9)), crashed = error_of(exited(128 + 11));
  EXPECT_EQ(killed.code(), ExitCode::failure);
  EXPECT_THAT(killed.what(), HasSubstr("a rank was ended by signal 9"));
  EXPECT_THAT(killed.what(), HasSubstr("smoothlab train a.yaml --resume"));
  EXPECT_THAT(crashed.what(), HasSubstr("signal 11"));
  EXPECT_THAT(error_of(9).what(), HasSubstr("mpirun was ended by signal 9"));
  EXPECT_THAT(error_of(exited(101)).what(), HasSubstr("exit code 101"));
  EXPECT_EQ(error_of(exited(127)).code(), ExitCode::environment);
}

// mpirun 5 refused an option of 4.1 with 213, which was reported as signal 85.
TEST_F(RankLauncher, ACodeAbove128ThatIsNoSignalIsACode) {
  EXPECT_THAT(error_of(exited(213)).what(), HasSubstr("mpirun ended with exit code 213"));
  EXPECT_THAT(error_of(exited(213)).what(), Not(HasSubstr("signal")));
}

TEST_F(RankLauncher, OptionsAreThoseThatOpenMpi4And5BothKnow) {
  EXPECT_THAT(rank_command(job(2)), Not(Contains("--quiet")));
}

// What mpirun itself had to say, of too few slots or of root, was lost, with nothing but an exit code left.
TEST_F(RankLauncher, MpisOwnWordsAreToldWhereNoRankTold) {
  const Error error = error_of(exited(1), "There are not enough slots available");
  EXPECT_EQ(error.code(), ExitCode::failure);
  EXPECT_THAT(error.what(), HasSubstr("mpirun ended with exit code 1 and says: There are not enough slots"));
  EXPECT_EQ(exit_code_of_job(exited(75), "/bin/mpirun", job(2), "a process exited with non-zero status"), 75);
}

// mpirun's framed messages used to stand around the one error line, and Ctrl-C was echoed as forwarded.
TEST_F(RankLauncher, OnlyTheRanksWordsReachStderr) {
  const std::string rule(74, '-');
  std::ofstream(folder / "mpirun") << "#!/bin/sh\n"
                                   << "echo " << rule << " >&2; echo MPI_ABORT was invoked >&2\n"
                                   << "echo " << rule << " >&2; echo 'error: mine' >&2; exit 3\n";
  testing::internal::CaptureStderr();
  EXPECT_EQ(launch_ranks(job(2)), 3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: mine\n");
}

// They were set for mpirun alone, and must stay so.
TEST_F(RankLauncher, NoVariableOfMpiIsSetForThisProcess) {
  launch_ranks(job(2));
  EXPECT_EQ(std::getenv("OMPI_MCA_orte_execute_quiet"), nullptr);
  EXPECT_EQ(std::getenv("PRTE_MCA_prte_execute_quiet"), nullptr);
}

}  // namespace
}  // namespace smoothlab::launcher
