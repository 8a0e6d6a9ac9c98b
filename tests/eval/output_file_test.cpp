#include "eval/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "eval/calibration_page.h"
#include "foreign_file.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

class OutputFileTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "out";

  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  /// The message of a UsageError, empty where there is none.
  std::string problem(OutputKind kind, const std::vector<std::string>& inputs = {}) const {
    try {
      claim_output(path, kind, inputs);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
  void expect_taken_by(OutputKind kind) const {
    for (const auto other : {OutputKind::page, OutputKind::svg, OutputKind::png, OutputKind::logits})
      EXPECT_EQ(problem(other).empty(), other == kind) << output_marker(other);
  }
};

TEST_F(OutputFileTest, MakesFoldersForANewFile) {
  claim_output(folder / "a/b/page.html", OutputKind::page);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a/b/page.html"));
}

TEST_F(OutputFileTest, ReplacesAnEarlierOneOfItsKindOnly) {
  write(calibration_page({}));
  expect_taken_by(OutputKind::page);
  write("<html>" + std::string(5000, ' ') + output_marker(OutputKind::page));
  EXPECT_THAT(problem(OutputKind::page), HasSubstr("no page of smoothlab's"));
  {
    test::ForeignFile file(path);
    file.dataset<float>("logits", {1, 2}, {0, 1});
  }
  expect_taken_by(OutputKind::logits);
  { test::ForeignFile(path).dataset<float>("images", {1, 2}, {0, 1}); }
  EXPECT_THAT(problem(OutputKind::logits), HasSubstr("no logit file"));
  write("");
  EXPECT_EQ(problem(OutputKind::page), "") << "nothing is lost";
}

TEST_F(OutputFileTest, NeverReplacesAnInputByWhateverName) {
  write(calibration_page({}));
  std::filesystem::create_symlink(path, folder / "symbolic");
  std::filesystem::create_hard_link(path, folder / "hard");
  for (const std::string& input : {path, folder / "symbolic", folder / "hard", folder / "./out"})
    EXPECT_THAT(problem(OutputKind::page, {folder / "missing", input}), HasSubstr("replace an input"));
  EXPECT_EQ(problem(OutputKind::page, {folder / "missing"}), "");
}

TEST_F(OutputFileTest, NeverReplacesFoldersAndDevices) {
  EXPECT_THROW(claim_output(folder.path(), OutputKind::page), UsageError);
  EXPECT_THROW(claim_output(folder / "new/", OutputKind::page), UsageError);
  EXPECT_THROW(claim_output("/dev/null", OutputKind::page), UsageError);
  EXPECT_THROW(claim_output("", OutputKind::page), UsageError);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(problem(OutputKind::page), HasSubstr("no plain file"));
}

TEST_F(OutputFileTest, NamesAFolderThatIsAFile) {
  write("text");
  try {
    claim_output(path + "/page.html", OutputKind::page);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is a file"));
  }
}

// Figures into a folder with the name of the page used to be found out after the folder was made.
TEST_F(OutputFileTest, OutputsInEachOthersPlaceAreFoundBeforeAnythingIsMade) {
  const std::string page = folder / "fg", figure = folder / "fg/a.svg";
  const auto refused = [&](const std::vector<Output>& outputs) {
    EXPECT_THROW(claim_outputs(outputs), UsageError);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  };
  refused({{figure, OutputKind::svg}, {page, OutputKind::page}});
  refused({{page, OutputKind::page}, {figure, OutputKind::svg}});
  refused({{figure, OutputKind::svg}, {folder / "x/../fg/./a.svg", OutputKind::page}});
  refused({{folder / "new/a.svg", OutputKind::svg}, {folder.path(), OutputKind::page}});
  claim_outputs({{figure, OutputKind::svg}, {folder / "fg/a.html", OutputKind::page}});
  EXPECT_TRUE(std::filesystem::is_directory(page));
}

}  // namespace
}  // namespace smoothlab::eval
