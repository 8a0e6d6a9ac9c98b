#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(CommandLine, HelpOnEveryVerb) {
  const auto help = smoothlab({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const std::string verb : {"train", "evaluate", "calibrate", "logits", "data", "doctor"}) {
    EXPECT_THAT(help.out, HasSubstr("\n  " + verb + " "));
    const auto of_verb = smoothlab({verb, "--help"});
    EXPECT_EQ(of_verb.exit_code, 0) << verb;
    EXPECT_THAT(of_verb.out, StartsWith("usage: smoothlab " + verb));
    EXPECT_EQ(of_verb.err, "");
  }
}

TEST(CommandLine, NothingAskedIsAUsageError) {
  const auto result = smoothlab({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("usage: "));
}

TEST(CommandLine, MisspeltVerbAndOptionNameTheNearest) {
  expect_only_error(smoothlab({"trian"}), 2, "did you mean 'train'?");
  expect_only_error(smoothlab({"train", "x.yaml", "--rnaks", "2"}), 2, "did you mean '--ranks'?");
  expect_only_error(smoothlab({"train", "x.yaml", "--rank", "2"}), 2, "did you mean '--ranks'?");
  expect_only_error(smoothlab({"data", "verfy", "mnist"}), 2, "did you mean 'verify'?");
}

TEST(CommandLine, AnOptionThatIsOnlyBegunNamesTheWholeOne) {
  expect_only_error(smoothlab({"calibrate", "a.h5", "--boot", "3"}), 2, "did you mean '--bootstrap'?");
}

TEST(CommandLine, OptionsOutOfRange) {
  const TemporaryFolder folder;
  std::ofstream(folder / "r.yaml") << "task: {data: generated}\n";
  expect_only_error(smoothlab({"train", folder / "r.yaml", "--ranks", "0"}), 2, "--ranks");
  expect_only_error(smoothlab({"train", folder / "r.yaml", "--ranks", "two"}), 2, "--ranks");
  // Ranges used to be written as 1e+06 and 9.0072e+15.
  expect_only_error(smoothlab({"evaluate", "--run", folder.path(), "--step", "-1"}), 2,
                    "from 0 to 9007199254740992");
  expect_only_error(smoothlab({"train", folder / "r.yaml", "--ranks", "1e1"}), 2, "from 1 to 65536");
  expect_only_error(smoothlab({"train", folder / "r.yaml", "--ranks"}), 2, "ranks");
  expect_only_error(smoothlab({"train", folder / "r.yaml", "another.yaml"}), 2, "another.yaml");
  expect_only_error(smoothlab({"train"}), 2, "usage: smoothlab train");
}

TEST(CommandLine, RecipeMistakesNameFileLineAndNearestKey) {
  const TemporaryFolder folder;
  std::ofstream(folder / "r.yaml") << "task: {data: generated}\n"
                                      "model: {name: mlp}\n"
                                      "targets:\n"
                                      "  alhpa: 0.1\n"
                                      "train: {steps: 10}\n";
  const auto result = smoothlab({"train", folder / "r.yaml", "--ranks", "2"});
  expect_only_error(result, 2, "alhpa");
  EXPECT_THAT(result.err, HasSubstr("r.yaml:4"));
  EXPECT_THAT(result.err, HasSubstr("did you mean 'alpha'?"));
  expect_only_error(smoothlab({"train", folder / "missing.yaml"}), 2, "missing.yaml");
}

TEST(CommandLine, DoctorReportsWhatItRunsWith) {
  const auto result = smoothlab({"doctor"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* item :
       {"LibTorch", "BLAS", "MPI", "HDF5", "gnuplot", "bf16", "CUDA", "CUDA devices", "NCCL"})
    EXPECT_THAT(result.out, HasSubstr(item));
  const auto json = smoothlab({"doctor", "--json"});
  EXPECT_THAT(json.out, StartsWith("{"));
}

TEST(CommandLine, MissingFilesAreInputErrors) {
  expect_only_error(smoothlab({"calibrate", "nowhere.h5"}), 3, "nowhere.h5");
  expect_only_error(smoothlab({"logits", "info", "nowhere.h5"}), 3, "nowhere.h5");
  expect_only_error(smoothlab({"evaluate", "--run", "nowhere"}), 3, "nowhere");
}

}  // namespace
}  // namespace smoothlab::test
