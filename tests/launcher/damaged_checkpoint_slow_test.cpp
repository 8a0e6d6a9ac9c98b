// A checkpoint of which one byte has changed, through the program.
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DamagedCheckpointSlow : public testing::TestWithParam<int> {
 protected:
  DamagedCheckpointSlow() {
    write_text(folder / "r.yaml", small_recipe());
    EXPECT_EQ(smoothlab(command("train", {})).exit_code, 0);
    damage(folder / "run/checkpoints/step-12/weights.safetensors");
  }
  std::vector<std::string> command(const std::string& verb, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {verb, "--run", folder / "run", "--ranks", std::to_string(GetParam())};
    if (verb == "train") words.push_back(folder / "r.yaml");
    return joined(words, more);
  }
  TemporaryFolder folder;
};
INSTANTIATE_TEST_SUITE_P(, DamagedCheckpointSlow, testing::Values(1, 2));

TEST_P(DamagedCheckpointSlow, TheOneBeforeItIsUsedWithAWarning) {
  const auto evaluated = smoothlab(command("evaluate", {"--json"}));
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_EQ(json::parse(evaluated.out)["step"], 8);
  const auto resumed = smoothlab(command("train", {"--resume", "--json"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(json::parse(resumed.out)["step"], 12);
  EXPECT_THAT(resumed.err, HasSubstr("resumed after step 8"));
  for (const auto& result : {evaluated, resumed}) {
    int warnings = 0;
    for (const auto& line : lines_of(result.err))
      if (line.rfind("warning: ", 0) == 0) {
        ++warnings;
        EXPECT_THAT(line, HasSubstr("step-12"));
        EXPECT_THAT(line, HasSubstr("weights.safetensors"));
      }
    EXPECT_EQ(warnings, 1) << result.err;
  }
}

TEST_P(DamagedCheckpointSlow, WithoutAWholeOneItIsAnInputError) {
  damage(folder / "run/checkpoints/step-8/optimizer.safetensors");
  expect_error(smoothlab(command("evaluate", {})), 3, folder / "run/checkpoints");
  expect_error(smoothlab(command("train", {"--resume"})), 3, folder / "run/checkpoints");
  // What is left may still be worth something to somebody.
  EXPECT_TRUE(std::filesystem::exists(folder / "run/checkpoints/step-8/weights.safetensors"));
}

}  // namespace
}  // namespace smoothlab::test
