#include "cluster/communicator.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

TEST(Communicator, SoloIsOneRankThatAgreesWithItself) {
  const auto solo = make_solo_communicator();
  EXPECT_EQ(solo->rank(), 0);
  EXPECT_EQ(solo->size(), 1);
  EXPECT_TRUE(solo->is_root());
  at::Tensor tensor = at::arange(4, at::kFloat);
  solo->allreduce(tensor, Reduction::sum);
  EXPECT_TRUE(tensor.equal(at::arange(4, at::kFloat)));
  const at::Tensor gathered = solo->allgather(tensor);
  EXPECT_TRUE(gathered.equal(tensor));
  EXPECT_NE(gathered.data_ptr(), tensor.data_ptr());
  EXPECT_TRUE(solo->agree_any(true));
  EXPECT_FALSE(solo->agree_all(false));
  EXPECT_EQ(solo->agree_max(-7), -7);
  EXPECT_EQ(solo->broadcast_text("text", 0), "text");
  EXPECT_THAT(solo->allgather_text("text"), testing::ElementsAre("text"));
  solo->barrier();
}

TEST(Communicator, SoloRefusesWhatWouldFailOnMoreRanks) {
  const auto solo = make_solo_communicator();
  EXPECT_THROW(solo->allreduce(at::ones({4, 4}).slice(1, 0, 2), Reduction::sum), RunError);
}

TEST(CommunicatorDeathTest, SoloAbortEndsTheProcessWithTheCode) {
  EXPECT_EXIT(make_solo_communicator()->abort(75), testing::ExitedWithCode(75), "");
}

class CommunicatorStart : public testing::Test {
 protected:
  // Whatever started this test must not be taken for what starts a rank.
  void SetUp() override {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID",
                             "SLURM_STEP_NUM_TASKS", "SLURM_SRUN_COMM_PORT"})
      unsetenv(name);
  }
  void TearDown() override { SetUp(); }
};

TEST_F(CommunicatorStart, AloneIsSolo) {
  EXPECT_FALSE(started_as_rank());
  EXPECT_EQ(make_communicator()->backend(), "solo");
}

TEST_F(CommunicatorStart, MpirunAndSrunStartRanks) {
  setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  EXPECT_TRUE(started_as_rank());
  SetUp();
  setenv("PMIX_RANK", "0", 1);
  EXPECT_TRUE(started_as_rank());
  SetUp();
  setenv("SLURM_PROCID", "1", 1);
  setenv("SLURM_STEP_NUM_TASKS", "2", 1);
  setenv("SLURM_SRUN_COMM_PORT", "40000", 1);
  EXPECT_TRUE(started_as_rank());
}

TEST_F(CommunicatorStart, ABatchScriptOrAShellOfSlurmIsNoRank) {
  setenv("SLURM_PROCID", "0", 1);  // as in a script that sbatch runs
  EXPECT_FALSE(started_as_rank());
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);  // as in a shell that salloc or srun --pty gives
  setenv("SLURM_SRUN_COMM_PORT", "40000", 1);
  setenv("PMIX_RANK", "0", 1);
  EXPECT_FALSE(started_as_rank());
}

}  // namespace
}  // namespace smoothlab::cluster
