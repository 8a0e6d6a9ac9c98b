// What translate says before it has anything to translate.
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

TEST(TranslateVerbSlow, RunsThatDoNotTranslate) {
  const TemporaryFolder folder;
  expect_only_error(smoothlab({"translate"}), 2, "no run given");
  expect_only_error(smoothlab({"translate", "--run", folder / "none"}), 3, "no such run folder");
  expect_only_error(smoothlab({"translate", "--run", folder.path()}), 3, "no recipe.yaml");
  write_text(folder / "r.yaml", small_recipe());
  ASSERT_EQ(smoothlab({"train", folder / "r.yaml", "--run", folder / "run"}).exit_code, 0);
  for (const char* ranks : {"1", "2"})
    expect_only_error(smoothlab({"translate", "--run", folder / "run", "--ranks", ranks}), 2,
                      "'mlp' does not translate");
}

TEST(TranslateVerbSlow, OptionsThatMakeNoSense) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& options, int code, const std::string& part) {
    expect_only_error(smoothlab(joined({"translate", "--run", folder.path()}, options)), code, part);
  };
  refused({"--beam", "0"}, 2, "beam");
  refused({"--beam", "4", "--n-best", "5"}, 2, "5 hypotheses of a beam of 4");
  refused({"--temperature", "0"}, 2, "temperature");
  refused({"--length-penalty", "-1"}, 2, "length-penalty");
  refused({"--seed", "3"}, 2, "--sample");
  refused({"--top-k", "3"}, 2, "--sample");
  refused({"--sample", "--beam", "8"}, 2, "--sample draws");
  refused({"--longest-source", "16385"}, 2, "1 to 16384");
  refused({"--stepp", "3"}, 2, "--step");
  refused({folder / "no.txt"}, 3, "no such file");
  const auto help = smoothlab({"translate", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, testing::HasSubstr("--length-penalty"));
}

}  // namespace
}  // namespace smoothlab::test
