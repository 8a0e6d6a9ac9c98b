#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// One image of 1×1 in each split, in MNIST's layout, which are not those of MNIST.
void write_other_mnist(const std::string& folder) {
  const std::string one = {0, 0, 0, 1};
  for (const std::string split : {"/train", "/t10k"}) {
    write_text(folder + split + "-images-idx3-ubyte", std::string({0, 0, 8, 3}) + one + one + one + "A");
    write_text(folder + split + "-labels-idx1-ubyte", std::string({0, 0, 8, 1}) + one + std::string(1, 1));
  }
}

// Files that are not the published ones used to end with 0.
TEST(DataVerb, FilesThatDifferEndWith3AfterTheReport) {
  const TemporaryFolder folder;
  write_other_mnist(folder.path());
  for (const bool json : {false, true}) {
    std::vector<std::string> arguments = {"data", "verify", "mnist", "--path", folder.path()};
    if (json) arguments.emplace_back("--json");
    const auto result = smoothlab(arguments);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr("error: 4 of 4 files are not as published (" + folder.path() + ")"));
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    if (!json) {
      EXPECT_THAT(result.out, HasSubstr("differs from the official file"));
      continue;
    }
    const auto report = nlohmann::json::parse(result.out);
    EXPECT_EQ(report["official"], false);
    EXPECT_EQ(report["files"].size(), 4U);
    EXPECT_EQ(report["files"][0]["origin"], "differs");
  }
}

TEST(DataVerb, WhereNothingWasPublishedNothingDiffers) {
  const TemporaryFolder folder;
  write_other_mnist(folder.path());
  const auto result = smoothlab({"data", "verify", "idx", "--path", folder.path(), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_TRUE(report["official"].is_null());
  EXPECT_EQ(report["files"][0]["origin"], "unknown");
}

// It was said to be in the folder "".
TEST(DataVerb, TheGeneratedSetIsInNoFolder) {
  const auto text = smoothlab({"data", "verify", "generated"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("generated, made by the program: 32x32x3, 10 classes\n"));
  const auto json = nlohmann::json::parse(smoothlab({"data", "verify", "generated", "--json"}).out);
  EXPECT_TRUE(json["folder"].is_null());
  EXPECT_TRUE(json["official"].is_null());
  EXPECT_EQ(json["files"].size(), 0U);
}

TEST(DataVerb, GeneratedTextSaysWhatCanBeReached) {
  const auto text = smoothlab({"data", "verify", "generated_text"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("test: 2000 pairs"));
  const auto json = nlohmann::json::parse(smoothlab({"data", "verify", "generated_text", "--json"}).out);
  ASSERT_EQ(json["splits"].size(), 2U);
  for (const auto& split : json["splits"])
    EXPECT_NEAR(split["best_nll"].get<double>(), split["entropy"].get<double>(), 0.02);
}

}  // namespace
}  // namespace smoothlab::test
