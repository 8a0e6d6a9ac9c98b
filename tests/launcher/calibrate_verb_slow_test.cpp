#include <nlohmann/json.hpp>
#include <set>

#include "eval/shard_fixture.h"
#include "eval/shard_names.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CalibrateVerbSlow : public testing::Test {
 protected:
  std::string good(const std::string& name = "good.h5") const {
    write_text(folder / name, "");  // makes folders
    ForeignFile file(folder / name);
    file.dataset<float>("logits", {20, 3}, exact_logits(0, 20, 3));
    file.dataset<int64_t>("labels", {20}, exact_labels(0, 20, 3));
    for (const char* attribute : {"task", "split", "model", "convention", "recipe_hash", "code_version"})
      file.attribute(attribute, std::string("some"));
    for (const char* attribute : {"step", "alpha", "ranks"}) file.attribute(attribute, int64_t{1});
    return folder / name;
  }
  TemporaryFolder folder;
};

// It used to write the page over the logits.
TEST_F(CalibrateVerbSlow, APageReplacesNothingButAPage) {
  const auto file = good(), notes = folder / "notes.txt", page = folder / "new/page.html";
  const std::string before = read_text(file);
  write_text(notes, "mine");
  std::filesystem::create_hard_link(file, folder / "link.html");
  for (const auto& other : {file, notes, folder / "link.html", folder.path(), std::string("/dev/null")})
    expect_only_error(smoothlab({"calibrate", file, "--page", other}), 2, other);
  EXPECT_TRUE(read_text(file) == before);
  EXPECT_EQ(read_text(notes), "mine");
  for (const int round : {1, 2})
    EXPECT_EQ(smoothlab({"calibrate", file, "--page", page}).exit_code, 0) << round;
  EXPECT_THAT(read_text(page), HasSubstr("</html>"));
}

TEST_F(CalibrateVerbSlow, FiguresReplaceFiguresOnly) {
  const auto file = good(), figures = folder / "figures";
  for (const int round : {1, 2})
    ASSERT_EQ(smoothlab({"calibrate", file, "--figures", figures}).exit_code, 0) << round;
  EXPECT_TRUE(std::filesystem::exists(figures + "/good.svg"));
  for (const std::string kind : {".svg", ".png"}) {
    const std::string drawn = read_text(figures + "/good" + kind);
    write_text(figures + "/good" + kind, "mine");
    expect_only_error(smoothlab({"calibrate", file, "--figures", figures}), 2, "good" + kind);
    EXPECT_EQ(read_text(figures + "/good" + kind), "mine");
    write_text(figures + "/good" + kind, drawn);
  }
  expect_only_error(smoothlab({"calibrate", file, "--figures", file}), 2, "good.h5");
}

TEST_F(CalibrateVerbSlow, FiguresOfFilesOfOneNameStandBesideEachOther) {
  const auto one = good("r1/a/x.h5"), two = good("r2/a/x.h5"), figures = folder / "figures";
  ASSERT_EQ(smoothlab({"calibrate", one, two, "--figures", figures}).exit_code, 0);
  std::set<std::string> drawn;
  for (const auto& entry : std::filesystem::directory_iterator(figures))
    drawn.insert(entry.path().filename());
  EXPECT_EQ(drawn.size(), 4U);
}

TEST_F(CalibrateVerbSlow, EachBadFileHasALineAndTheFirstDecidesTheCode) {
  const auto file = good();
  const auto result = smoothlab({"calibrate", folder / "one.h5", file, folder / "two.h5", "--json"});
  EXPECT_EQ(result.exit_code, 3);
  ASSERT_EQ(json::parse(result.out).size(), 1U);
  EXPECT_EQ(json::parse(result.out)[0]["file"], file);
  const auto errors = lines_of(result.err);
  ASSERT_EQ(errors.size(), 2U) << result.err;
  EXPECT_THAT(errors[0], HasSubstr("error: no such file (" + (folder / "one.h5")));
  EXPECT_THAT(errors[1], HasSubstr("error: no such file (" + (folder / "two.h5")));
  EXPECT_EQ(smoothlab({"calibrate", folder / "one.h5", folder / "two.h5", "--json"}).out, "[]\n");
  EXPECT_THAT(smoothlab({"calibrate", "--help"}).out, HasSubstr("exit code"));
}

// A pattern such as logits/*.h5 used to make three evaluations of one on two ranks.
TEST_F(CalibrateVerbSlow, ShardsAreLeftOutBesideTheirWholeFile) {
  const auto whole = folder / "test.h5";
  std::vector<std::string> shards;
  for (int rank = 0; rank < 2; ++rank) {
    shards.push_back(eval::shard_path(whole, "a1", rank, 2));
    write_shard(shards.back(), {20, 4, 0, false, eval::LogitPrecision::float32}, 20 * rank, 8);
  }
  eval::publish_logit_file(whole, shards);
  const auto result = smoothlab({"calibrate", shards[0], shards[1], whole, whole, "--json", "--no-fit"});
  EXPECT_EQ(result.exit_code, 0);
  ASSERT_EQ(json::parse(result.out).size(), 1U);
  EXPECT_EQ(json::parse(result.out)[0]["file"], whole);
  const auto notes = lines_of(result.err);
  ASSERT_EQ(notes.size(), 3U) << result.err;
  EXPECT_THAT(notes[0], HasSubstr(shards[0] + " is left out: it is a part of " + whole));
  EXPECT_THAT(notes[2], HasSubstr("the same file"));
}

// The folder of figures used to be made before the page's name turned out to be its own.
TEST_F(CalibrateVerbSlow, OutputsThatCollideAreFoundBeforeAnyWork) {
  const auto file = good(), both = folder / "fg";
  expect_only_error(smoothlab({"calibrate", file, "--figures", both, "--page", both}), 2, "fg");
  EXPECT_FALSE(std::filesystem::exists(both));
}

TEST_F(CalibrateVerbSlow, OptionsThatContradictOrNameNothing) {
  const auto file = good();
  expect_only_error(smoothlab({"calibrate", file, "--no-fit", "--temperature", "2"}), 2, "--no-fit");
  expect_only_error(smoothlab({"calibrate", file, "--edges", "foo"}), 2, "standard, guo");
}

TEST_F(CalibrateVerbSlow, TheDocumentNamesEveryKeyOfJson) {
  const auto file = good();
  const auto documented = documented_names("docs/calibration.md");
  for (const auto& options :
       std::vector<std::vector<std::string>>{{}, {"--temperature", "2"}, {"--no-fit"}}) {
    const auto result = smoothlab(joined({"calibrate", file, "--json"}, options));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json report = json::parse(result.out);
    ASSERT_EQ(report["alpha"], 1);
    for (const auto& [key, value] : report.items()) EXPECT_EQ(documented.count(key), 1U) << key;
    for (const auto& [key, value] : report["bins"][0].items()) EXPECT_EQ(documented.count(key), 1U) << key;
  }
}

}  // namespace
}  // namespace smoothlab::test
