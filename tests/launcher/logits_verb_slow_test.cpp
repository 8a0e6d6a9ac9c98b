#include <unistd.h>

#include <nlohmann/json.hpp>

#include "eval/foreign_file.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class LogitsVerbSlow : public testing::Test {
 protected:
  /// A plain file of rows; returns its path.
  std::string plain(const std::string& name, hsize_t rows = 20, hsize_t classes = 3) const {
    ForeignFile file(folder / name);
    const auto n = static_cast<int64_t>(rows), k = static_cast<int64_t>(classes);
    file.dataset<float>("logits", {rows, classes}, exact_logits(0, n, k));
    file.dataset<int64_t>("labels", {rows}, exact_labels(0, n, k));
    return folder / name;
  }
  /// A virtual file over plain files of 20 rows each, which it refers to by these names.
  std::string joined_file(const std::string& name, const std::vector<std::string>& parts) const {
    ForeignFile file(folder / name);
    const hsize_t rows = 20 * parts.size(), count[2] = {20, 3};
    for (const int rank : {2, 1}) {
      const hsize_t whole[2] = {rows, 3};
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, whole, nullptr),
                  part_space = H5Screate_simple(rank, count, nullptr);
      const char* dataset = rank == 2 ? "logits" : "labels";
      for (size_t i = 0; i < parts.size(); ++i) {
        const hsize_t start[2] = {20 * i, 0};
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
        H5Pset_virtual(creation, space, parts[i].c_str(), dataset, part_space);
      }
      H5Sselect_all(space);
      H5Dclose(H5Dcreate2(file.id(), dataset, rank == 2 ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64, space,
                          H5P_DEFAULT, creation, H5P_DEFAULT));
      H5Sclose(part_space);
      H5Sclose(space);
      H5Pclose(creation);
    }
    return folder / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      found.push_back(entry.path().filename().string());
    return found;
  }
  TemporaryFolder folder;
};

TEST_F(LogitsVerbSlow, InfoPrintsEveryAttributeAsWhatItIs) {
  {
    ForeignFile file(folder / "a.h5");
    file.dataset<float>("logits", {2, 2}, {0, 1, 2, 3});
    file.dataset<int64_t>("labels", {2}, {0, 1});
    file.attribute("step", int64_t{64000});
    file.attribute("schema", int64_t{1});
    file.attribute("recipe", std::string("model:\n  name: mlp\n"));
    file.attribute("rows", int64_t{7});
  }
  const auto result = smoothlab({"logits", "info", folder / "a.h5", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json info = json::parse(result.out);
  EXPECT_EQ(info["file"], folder / "a.h5");
  EXPECT_EQ(info["rows"], 2);
  EXPECT_EQ(info["classes"], 2);
  EXPECT_EQ(info["penultimate"], 0);
  EXPECT_EQ(info["complete"], true);
  EXPECT_EQ(info["shards"], json::array());
  EXPECT_EQ(info["attributes"],
            (json{{"step", 64000}, {"schema", 1}, {"recipe", "model:\n  name: mlp\n"}, {"rows", 7}}));
  const std::string document = read_text(source_path("docs/logit-files.md"));
  for (const auto& [key, value] : info.items()) EXPECT_THAT(document, HasSubstr("`" + key + "`"));
}

TEST_F(LogitsVerbSlow, InfoOfSeveralFilesReportsTheGoodAndTheBad) {
  const auto good = plain("good.h5");
  const auto result = smoothlab({"logits", "info", folder / "no.h5", good, folder / "none.h5", "--json"});
  EXPECT_EQ(result.exit_code, 3);
  ASSERT_EQ(json::parse(result.out).size(), 1U);
  EXPECT_EQ(json::parse(result.out)[0]["file"], good);
  const auto errors = lines_of(result.err);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_THAT(errors[0], testing::AllOf(HasSubstr("error: "), HasSubstr("no.h5")));
  EXPECT_THAT(errors[1], testing::AllOf(HasSubstr("error: "), HasSubstr("none.h5")));
  EXPECT_THAT(smoothlab({"logits", "--help"}).out, HasSubstr("exit code"));
}

TEST_F(LogitsVerbSlow, PackMakesFoldersAndRefusesWhatItMayNotReplace) {
  plain("p0.h5");
  plain("p1.h5");
  const auto from = joined_file("v.h5", {"p0.h5", "p1.h5"});
  const auto to = folder / "new/deep/out.h5";
  const auto result = smoothlab({"logits", "pack", from, to});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(smoothlab({"logits", "info", to, "--json"}).out)["rows"], 40);
  EXPECT_EQ(smoothlab({"logits", "pack", from, to}).exit_code, 0) << "over an earlier one";
  write_text(folder / "notes.txt", "mine");
  std::filesystem::create_symlink(folder / "p1.h5", folder / "link.h5");
  for (const auto& other : {from, folder / "p0.h5", folder / "link.h5", folder / "notes.txt", folder.path()})
    expect_only_error(smoothlab({"logits", "pack", from, other}), 2, other);
  EXPECT_EQ(read_text(folder / "notes.txt"), "mine");
  EXPECT_EQ(json::parse(smoothlab({"logits", "info", from, "--json"}).out)["shards"].size(), 2U);
}

// It used to end with a segmentation fault and leave out.h5.tmp.
TEST_F(LogitsVerbSlow, PackOntoAFullDisk) {
  const auto from = plain("big.h5", 4000, 100);
  const auto earlier = plain("out.h5");
  const std::string before = read_text(earlier);
  for (const char* kilobytes : {"1", "4", "100", "1500", "1590"}) {
    const auto result = run_process({"bash", "-c", std::string("ulimit -f ") + kilobytes + "; exec \"$@\"",
                                     "bash", program(), "logits", "pack", from, earlier});
    SCOPED_TRACE(kilobytes);
    expect_only_error(result, 4, "File too large");
    EXPECT_THAT(result.err, Not(testing::AnyOf(HasSubstr("H5"), HasSubstr("errno"), HasSubstr("time ="))));
    EXPECT_THAT(names(), testing::UnorderedElementsAre("big.h5", "out.h5"));
    EXPECT_TRUE(read_text(earlier) == before);
  }
}

// HDF5 looks for shards in the current folder too, and takes whatever has the name.
TEST_F(LogitsVerbSlow, ShardsInTheCurrentFolderAreNotTaken) {
  plain("p0.h5");
  std::filesystem::create_directory(folder / "moved");
  const auto moved = joined_file("moved/v.h5", {"p0.h5"});
  for (const std::string verb : {"calibrate", "logits info"})
    expect_only_error(
        run_process({"bash", "-c", "cd " + folder.path() + " && " + program() + " " + verb + " moved/v.h5"}),
        3, "refers to p0.h5, which is missing");
  std::filesystem::copy_file(folder / "p0.h5", folder / "moved/p0.h5");
  EXPECT_EQ(smoothlab({"logits", "info", moved}).exit_code, 0);
}

}  // namespace
}  // namespace smoothlab::test
