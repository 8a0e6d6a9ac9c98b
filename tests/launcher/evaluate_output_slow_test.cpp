// Where evaluate may write its logit file, and what it leaves where it cannot.
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

class EvaluateOutputSlow : public testing::Test {
 protected:
  EvaluateOutputSlow() {
    write_text(folder / "r.yaml", small_recipe());
    EXPECT_EQ(smoothlab({"train", folder / "r.yaml", "--run", folder / "run"}).exit_code, 0);
  }
  ProcessResult evaluate(const std::vector<std::string>& more) const {
    return smoothlab(joined({"evaluate", "--run", folder / "run"}, more));
  }
  std::vector<std::string> names(const std::string& path) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      found.push_back(entry.path().filename().string());
    return found;
  }
  TemporaryFolder folder;
};

// A folder used to fail after all the work and to leave a shard; other files were replaced without a word.
TEST_F(EvaluateOutputSlow, ReplacesALogitFileOnlyAndFailsBeforeTheWork) {
  const auto notes = folder / "out/notes.txt";
  write_text(notes, "mine");
  for (const auto& other : {folder / "out", notes})
    expect_only_error(evaluate({"--logits", other}), 2, other);
  EXPECT_EQ(read_text(notes), "mine");
  EXPECT_EQ(names(folder / "out").size(), 1U);
  const auto file = folder / "new/deep/test.h5";
  for (const int round : {1, 2}) EXPECT_EQ(evaluate({"--logits", file}).exit_code, 0) << round;
  EXPECT_EQ(names(folder / "new/deep"), std::vector<std::string>{"test.h5"});
  std::filesystem::create_directories(folder / "run/logits/test.h5");
  expect_only_error(evaluate({}), 2, "run/logits/test.h5");
}

}  // namespace
}  // namespace smoothlab::test
