#include "eval/logit_publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/logit_chunks.h"
#include "shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

class LogitPublishTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "test.h5";

  /// Shards of so many rows each, and their paths.
  std::vector<std::string> shards(const std::vector<int64_t>& rows, const std::string& tag,
                                  LogitPrecision precision = LogitPrecision::float32) {
    std::vector<std::string> paths;
    int64_t first = 0;
    for (size_t rank = 0; rank < rows.size(); ++rank) {
      paths.push_back(shard_path(path, tag, static_cast<int>(rank), static_cast<int>(rows.size())));
      test::write_shard(paths.back(), {rows[rank], 40, 6, true, precision}, first, 64, rank == 0);
      first += rows[rank];
    }
    return paths;
  }
  std::vector<std::string> names() const { return cluster::local_file_system()->list(folder.path()); }
};

TEST_F(LogitPublishTest, JoinsShards) {
  publish_logit_file(path, shards({300, 7, 120}, "a1"));
  const LogitFile file(path);
  EXPECT_EQ(file.rows(), 427);
  EXPECT_TRUE(test::holds_split(file));
  EXPECT_TRUE(file.direct());
  EXPECT_EQ(file.attribute("ranks"), "3");
  EXPECT_EQ(file.attribute("rows"), "427");
  EXPECT_EQ(file.attribute("complete"), "1");
  EXPECT_EQ(file.attribute("recipe"), test::some_origin().recipe);
  EXPECT_EQ(file.classifier().first, test::exact_logits(0, 40, 6));
}

// The reader resolves virtual datasets by itself; what HDF5 makes of them must be the same.
TEST_F(LogitPublishTest, ReadsAlikeThroughHdf5) {
  publish_logit_file(path, shards({300, 7, 120}, "a1", LogitPrecision::float16));
  std::vector<float> values(427 * 40);
  std::vector<int32_t> positions(427);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t logits = H5Dopen2(file, "logits", H5P_DEFAULT),
              position = H5Dopen2(file, "position", H5P_DEFAULT);
  EXPECT_GE(H5Dread(logits, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  EXPECT_GE(H5Dread(position, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, positions.data()), 0);
  H5Dclose(logits);
  H5Dclose(position);
  H5Fclose(file);
  EXPECT_EQ(values, test::exact_logits(0, 427, 40));
  for (int32_t r = 0; r < 427; ++r) ASSERT_EQ(positions[static_cast<size_t>(r)], r % 5);
}

TEST_F(LogitPublishTest, MakesASingleShardTheFile) {
  publish_logit_file(path, shards({50}, "a1"));
  EXPECT_EQ(names(), std::vector<std::string>{"test.h5"});
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
}

TEST_F(LogitPublishTest, LeavesOutRanksWithoutRows) {
  publish_logit_file(path, shards({30, 0, 12, 0}, "a1"));
  const LogitFile file(path);
  EXPECT_EQ(file.rows(), 42);
  EXPECT_TRUE(test::holds_split(file));
  EXPECT_EQ(names().size(), 3U) << "shards without rows are removed";
}

TEST_F(LogitPublishTest, FollowsAFolderThatMoves) {
  std::filesystem::create_directory(folder / "one");
  const std::string inside = folder / "one/test.h5";
  std::vector<std::string> paths;
  for (int rank = 0; rank < 2; ++rank) {
    paths.push_back(shard_path(inside, "b2", rank, 2));
    test::write_shard(paths.back(), {20, 4, 0, false, LogitPrecision::float32}, 20 * rank, 8);
  }
  publish_logit_file(inside, paths);
  std::filesystem::rename(folder / "one", folder / "two");
  EXPECT_TRUE(test::holds_split(LogitFile(folder / "two/test.h5")));
}

TEST_F(LogitPublishTest, ReplacesAnOlderEvaluationAndItsShards) {
  const auto other = shard_path(folder / "test.best.h5", "ff", 0, 2);
  test::write_shard(other, {5, 40, 6, true, LogitPrecision::float32}, 0, 5);
  publish_logit_file(path, shards({30, 12}, "a1"));
  const auto newer = shards({10, 20, 30}, "b2");
  EXPECT_TRUE(test::holds_split(LogitFile(path))) << "the older one stays whole while shards are written";
  EXPECT_EQ(LogitFile(path).rows(), 42);
  publish_logit_file(path, newer);
  EXPECT_EQ(LogitFile(path).rows(), 60);
  EXPECT_THAT(names(), testing::UnorderedElementsAre("test.best.ff.0-of-2.h5", "test.b2.0-of-3.h5",
                                                     "test.b2.1-of-3.h5", "test.b2.2-of-3.h5", "test.h5"));
}

TEST_F(LogitPublishTest, LeavesTheShardsOfAFileThatWasRenamed) {
  publish_logit_file(path, shards({30, 12}, "a1"));
  std::filesystem::rename(path, folder / "best.h5");
  publish_logit_file(path, shards({10, 20}, "b2"));
  publish_logit_file(path, shards({15, 20}, "c3"));
  EXPECT_TRUE(test::holds_split(LogitFile(folder / "best.h5")));
  EXPECT_EQ(names().size(), 6U);
}

TEST_F(LogitPublishTest, LeavesTheShardsOfAFileThatWasCopied) {
  publish_logit_file(path, shards({30, 12}, "a1"));
  std::filesystem::copy_file(path, folder / "best.h5");
  publish_logit_file(path, shards({10, 20}, "b2"));
  EXPECT_TRUE(test::holds_split(LogitFile(folder / "best.h5")));
  std::filesystem::remove(folder / "best.h5");
  publish_logit_file(path, shards({15, 20}, "c3"));
  EXPECT_EQ(names().size(), 3U) << "nobody refers to the first two any more";
}

TEST_F(LogitPublishTest, LeavesTheShardsOfAnEvaluationThatStillRuns) {
  const LogitShape shape{20, 40, 6, true, LogitPrecision::float32};
  const auto slow = {shard_path(path, "cafe", 0, 2), shard_path(path, "cafe", 1, 2)};
  LogitShardWriter first(*slow.begin(), shape, test::some_origin());
  {
    LogitShardWriter second(*(slow.begin() + 1), shape, test::some_origin());
    first.append(test::rows_of_split(shape, 0, 5));
    second.append(test::rows_of_split(shape, 20, 20));
    publish_logit_file(path, shards({10, 20}, "b2"));
    EXPECT_TRUE(test::holds_split(LogitFile(path)));
    first.append(test::rows_of_split(shape, 5, 15));
    first.close();
    second.close();
    publish_logit_file(path, shards({10, 20}, "c3"));
    publish_logit_file(path, slow);
  }
  EXPECT_EQ(LogitFile(path).rows(), 40);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(LogitPublishTest, LeavesShardsThatAreYoungerThanTheEvaluation) {
  const auto files = cluster::local_file_system();
  const auto ours = shards({10, 20}, "a1");
  const auto started = std::filesystem::last_write_time(ours[0]);
  const auto theirs = shards({30, 12}, "b2");
  for (const auto& shard : theirs) std::filesystem::last_write_time(shard, started + std::chrono::seconds(1));
  publish_logit_file(*files, path, ours, started);
  EXPECT_EQ(names().size(), 5U);
  publish_logit_file(path, theirs);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(LogitPublishTest, RemovesWholeShardsThatWereNeverPublished) {
  shards({30, 12}, "dead");
  cluster::write_file_whole(*cluster::local_file_system(), half_made_path(shard_path(path, "dead", 0, 2)),
                            "half a virtual file");
  publish_logit_file(path, shards({10}, "b2"));
  EXPECT_EQ(names(), std::vector<std::string>{"test.h5"});
}

TEST_F(LogitPublishTest, RemovesNothingBesideAFileThatCannotBeRead) {
  publish_logit_file(path, shards({300, 120}, "a1"));
  std::filesystem::copy_file(path, folder / "best.h5");
  std::filesystem::resize_file(folder / "best.h5", std::filesystem::file_size(path) - 100);
  publish_logit_file(path, shards({10, 20}, "b2"));
  EXPECT_EQ(names().size(), 6U);
}

TEST_F(LogitPublishTest, RemovesWhatAStoppedEvaluationLeft) {
  {
    const std::string stopped = shard_path(path, "dead", 1, 2);
    LogitShardWriter writer(stopped, {20, 40, 6, true, LogitPrecision::float32}, test::some_origin());
  }
  publish_logit_file(path, shards({10}, "b2"));
  EXPECT_EQ(names(), std::vector<std::string>{"test.h5"});
}

TEST_F(LogitPublishTest, RefusesAShardThatIsIncompleteAndKeepsTheOlderFile) {
  publish_logit_file(path, shards({30, 12}, "a1"));
  auto newer = shards({10, 20}, "b2");
  { LogitShardWriter writer(newer[1], {20, 40, 6, true, LogitPrecision::float32}, test::some_origin()); }
  EXPECT_THROW(publish_logit_file(path, newer), DataError);
  EXPECT_EQ(LogitFile(path).rows(), 42);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
}

TEST_F(LogitPublishTest, RefusesShardsOfTwoShapes) {
  auto paths = shards({10, 20}, "a1");
  test::write_shard(paths[1], {20, 41, 6, true, LogitPrecision::float32}, 10, 8);
  EXPECT_THROW(publish_logit_file(path, paths), DataError);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(LogitPublishTest, ReportsAMissingShardByName) {
  const auto paths = shards({30, 12}, "a1");
  publish_logit_file(path, paths);
  std::filesystem::remove(paths[1]);
  try {
    const LogitFile file(path);
    FAIL() << "HDF5 reads zeros here";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("test.a1.1-of-2.h5"), HasSubstr("missing")));
  }
  EXPECT_THROW(pack_logit_file(path, folder / "packed.h5"), DataError);
}

TEST_F(LogitPublishTest, ReportsAShardThatShrank) {
  const auto paths = shards({30, 12}, "a1");
  publish_logit_file(path, paths);
  test::write_shard(paths[1], {11, 40, 6, true, LogitPrecision::float32}, 30, 8);
  EXPECT_THROW(LogitFile{path}, DataError);
}

TEST_F(LogitPublishTest, PacksIntoOnePlainFile) {
  for (const auto precision : {LogitPrecision::float32, LogitPrecision::float16}) {
    publish_logit_file(path, shards({300, 7, 9000}, "a1", precision));
    const std::string packed = folder / "packed.h5";
    pack_logit_file(path, packed);
    for (const auto& name : names())
      if (name.find("-of-") != std::string::npos) std::filesystem::remove(folder / name);
    const LogitFile file(packed);
    EXPECT_TRUE(test::holds_split(file));
    EXPECT_TRUE(file.direct());
    EXPECT_TRUE(file.has("position"));
    EXPECT_EQ(file.attribute("rows"), "9307");
    EXPECT_EQ(file.attribute("ranks"), "3");
    EXPECT_EQ(file.attribute("complete"), "1");
    EXPECT_EQ(file.attribute("recipe_hash"), "c0ffee");
    EXPECT_EQ(file.classifier().second, test::exact_logits(0, 1, 40));
  }
}

/// A filter that leaves bytes as they are, or, asked to, stores no chunk.
template <bool stores>
size_t some_filter(unsigned flags, size_t, const unsigned*, size_t bytes, size_t*, void**) {
  return stores || (flags & H5Z_FLAG_REVERSE) != 0 ? bytes : 0;
}

template <bool stores>
void write_with_filter(hid_t group, const char* name, const std::vector<int64_t>& values) {
  constexpr H5Z_filter_t number = 300;
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, number, 1, 1, "squeeze", nullptr, nullptr, some_filter<stores>};
  H5Zregister(&filter);
  const hsize_t size = values.size();
  const hid_t space = H5Screate_simple(1, &size, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &size);
  H5Pset_filter(creation, number, H5Z_FLAG_OPTIONAL, 0, nullptr);
  const hid_t id = H5Dcreate2(group, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(id, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(id);
  H5Pclose(creation);
  H5Sclose(space);
  H5Fflush(group, H5F_SCOPE_GLOBAL);
  H5Zunregister(number);
}

// Chunks used to be copied undecoded into a plain file that nobody here could read.
TEST_F(LogitPublishTest, PacksNoObjectWhoseFilterIsMissing) {
  for (const bool in_group : {false, true}) {
    {
      test::ForeignFile file(path);
      file.dataset<float>("logits", {20, 3}, test::exact_logits(0, 20, 3));
      if (in_group) {
        file.dataset<int64_t>("labels", {20}, test::exact_labels(0, 20, 3));
        const hid_t group = H5Gcreate2(file.id(), "classifier", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        write_with_filter<true>(group, "bias", {1, 2, 3});
        H5Gclose(group);
      } else {
        write_with_filter<true>(file.id(), "labels", test::exact_labels(0, 20, 3));
      }
    }
    try {
      pack_logit_file(path, folder / "packed.h5");
      ADD_FAILURE() << "packed";
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(in_group ? "/classifier/bias" : "/labels"));
      EXPECT_THAT(error.what(), HasSubstr("squeeze (300)"));
    }
    EXPECT_EQ(names(), std::vector<std::string>{"test.h5"});
  }
}

TEST_F(LogitPublishTest, PacksChunksThatAMissingFilterLeftAlone) {
  {
    test::ForeignFile file(path);
    file.dataset<float>("logits", {20, 3}, test::exact_logits(0, 20, 3));
    write_with_filter<false>(file.id(), "labels", test::exact_labels(0, 20, 3));
  }
  pack_logit_file(path, folder / "packed.h5");
  EXPECT_TRUE(test::holds_split(LogitFile(folder / "packed.h5")));
}

// It used to destroy the file that was read.
TEST_F(LogitPublishTest, PacksOntoNothingThatItReads) {
  const auto paths = shards({300, 7}, "a1");
  publish_logit_file(path, paths);
  std::filesystem::create_symlink(path, folder / "symbolic.h5");
  std::filesystem::create_hard_link(paths[1], folder / "hard.h5");
  for (const auto& to : {path, paths[0], paths[1], folder / "symbolic.h5", folder / "hard.h5"})
    EXPECT_THROW(pack_logit_file(path, to), UsageError) << to;
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
  EXPECT_EQ(names().size(), 5U);
}

/// Exit code of a child that does `work` while no file may be larger than `bytes`.
template <typename Work>
int exit_code_when_full(const std::string& path, rlim_t bytes, const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 0;
    try {
      work();
    } catch (const Error& error) {
      const std::string line = error.what();
      const bool good = line.find("File too large (" + path) != std::string::npos;
      code = good ? static_cast<int>(error.code()) : 99;
    }
    H5close();  // HDF5 used to crash where it tidies up when the process ends
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int exit_code_of_packing(const std::string& from, const std::string& to, rlim_t bytes) {
  return exit_code_when_full(to, bytes, [&] { pack_logit_file(from, to); });
}

TEST_F(LogitPublishTest, PublishingOntoAFullDiskKeepsTheOlderFileAlone) {
  publish_logit_file(path, shards({12}, "a1"));
  for (const rlim_t bytes : {0, 1000, 4000}) {
    const auto newer = shards({10, 20}, "b2");
    EXPECT_EQ(exit_code_when_full(folder / "test.b2.0-of-2.h5.tmp", bytes,
                                  [&] { publish_logit_file(path, newer); }),
              4)
        << bytes;
    EXPECT_EQ(names(), std::vector<std::string>{"test.h5"}) << bytes;
  }
  EXPECT_EQ(LogitFile(path).rows(), 12);
}

// HDF5 crashes where it cannot write what it holds, and loses it without a word in H5Fclose.
TEST_F(LogitPublishTest, PackingOntoAFullDiskLeavesNothingBehind) {
  publish_logit_file(path, shards({3000, 400}, "a1"));
  const std::string packed = folder / "packed.h5";
  pack_logit_file(path, packed);
  const auto whole = std::filesystem::file_size(packed), before = names().size();
  std::filesystem::remove(packed);
  for (const auto bytes :
       {uintmax_t{0}, uintmax_t{1000}, uintmax_t{5000}, whole / 2, whole - 4096, whole - 1}) {
    EXPECT_EQ(exit_code_of_packing(path, packed, bytes), 4) << bytes;
    EXPECT_EQ(names().size(), before - 1) << bytes;
    EXPECT_EQ(exit_code_of_packing(shard_path(path, "a1", 0, 2), packed, std::min(bytes, whole / 2)), 4)
        << bytes;
    EXPECT_EQ(names().size(), before - 1) << bytes;
  }
  test::write_shard(packed, {5, 40, 6, true, LogitPrecision::float32}, 0, 5);
  EXPECT_EQ(exit_code_of_packing(path, packed, whole / 2), 4);
  EXPECT_EQ(LogitFile(packed).rows(), 5) << "an earlier file stays";
  EXPECT_TRUE(test::holds_split(LogitFile(packed)));
}

// HDF5's words were those of its developers, and the file named was the half-made one.
TEST_F(LogitPublishTest, PackingNamesTheFileThatCannotBeRead) {
  publish_logit_file(path, shards({12}, "a1"));
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Lcreate_soft("/gone", file, "lost", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  try {
    pack_logit_file(path, folder / "packed.h5");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where(), path);
    EXPECT_THAT(error.what(), HasSubstr("/lost leads nowhere"));
  }
  EXPECT_EQ(names(), std::vector<std::string>{"test.h5"});
}

TEST_F(LogitPublishTest, TagsDiffer) {
  EXPECT_NE(new_shard_tag(), new_shard_tag());
}

}  // namespace
}  // namespace smoothlab::eval
