#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/ranks.h"
#include "support/temporary_folder.h"
#include "trainer/rank_agreement.h"
#include "trainer/small_teaching.h"

namespace smoothlab::trainer {
namespace {

/// Every sample counts once in γ, and a file of logits is the same, however many ranks share the work.
TEST(TeachingMpi, AgreesWithOneRank) {
  use_one_core();
  cluster::Communicator& ranks = test::ranks();
  const test::TemporaryFolder folder;
  const std::string path = text_from_root(ranks, [&] { return folder.path(); });
  const auto files = cluster::local_file_system();
  const auto solo = cluster::make_solo_communicator();
  if (ranks.is_root()) run_to_end(small_teacher_recipe(), path + "/teacher", false, *solo, *files);
  ranks.barrier();

  const Recipe live = small_student_recipe(path + "/teacher");
  Recipe replay = live;
  replay.teacher.logits = path + "/teacher.h5";
  run_to_end(live, path + "/live", false, ranks, *files);
  run_to_end(replay, path + "/replay", false, ranks, *files);
  if (ranks.is_root()) {
    run_to_end(live, path + "/alone", false, *solo, *files);
    EXPECT_NEAR(teacher_of(path + "/live").gamma, teacher_of(path + "/alone").gamma, 1e-12);
    EXPECT_NEAR(teacher_of(path + "/replay").gamma, teacher_of(path + "/alone").gamma, 1e-12);
    EXPECT_EQ(teacher_of(path + "/live").samples, 69);
    // Rows of a forward pass may round otherwise with the number of rows in it.
    for (const char* name : {"/live", "/replay"}) {
      const auto together = weights_of(path + name, 20), alone = weights_of(path + "/alone", 20);
      for (const auto& [parameter, tensor] : alone.tensors)
        EXPECT_TRUE(at::allclose(together.find(parameter), tensor, 1e-4, 1e-5)) << name << parameter;
    }
  }
  ranks.barrier();
}

}  // namespace
}  // namespace smoothlab::trainer
