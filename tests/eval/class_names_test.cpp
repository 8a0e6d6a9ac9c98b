#include "eval/class_names.h"

#include <gtest/gtest.h>

#include "cluster/error.h"
#include "eval/hdf5_handle.h"
#include "eval/logit_file.h"
#include "eval/logit_publish.h"
#include "eval/shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

const std::vector<std::string> names = {"airplane", "", "véhicule", "▁der"};

/// A file of four classes with /class_names as others may have stored it.
class ForeignNames {
 public:
  explicit ForeignNames(const std::string& path) : file_(path) {
    file_.dataset("logits", {2, 4}, test::exact_logits(0, 2, 4));
    file_.dataset<int64_t>("labels", {2}, {0, 3});
  }
  void fixed_length(const std::vector<std::string>& texts, size_t width) {
    std::string bytes;
    for (std::string text : texts) {
      text.resize(width);
      bytes += text;
    }
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, width);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    const Hdf5Handle space = dataspace({texts.size()});
    const Hdf5Handle dataset(
        H5Dcreate2(file_.id(), "class_names", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  }
  test::ForeignFile& file() { return file_; }

 private:
  test::ForeignFile file_;
};

TEST(ClassNames, GoWithShardsIntoTheFile) {
  const test::TemporaryFolder folder;
  for (const int ranks : {1, 2}) {
    const std::string path = folder / ("test-" + std::to_string(ranks) + ".h5");
    std::vector<std::string> shards;
    for (int rank = 0; rank < ranks; ++rank) {
      shards.push_back(folder / ("shard-" + std::to_string(rank) + ".h5"));
      LogitOrigin origin = test::some_origin();
      origin.class_names = names;
      const LogitShape shape{3, 4, 0, false, LogitPrecision::float32};
      LogitShardWriter writer(shards.back(), shape, origin);
      writer.append(test::rows_of_split(shape, 3 * rank, 3));
      writer.close();
    }
    publish_logit_file(path, shards);
    EXPECT_EQ(LogitFile(path).class_names(), names) << ranks;
    pack_logit_file(path, folder / "packed.h5");
    EXPECT_EQ(LogitFile(folder / "packed.h5").class_names(), names) << ranks;
  }
}

TEST(ClassNames, MayBeOfFixedLengthOrMissing) {
  const test::TemporaryFolder folder;
  ForeignNames(folder / "none.h5");
  EXPECT_TRUE(LogitFile(folder / "none.h5").class_names().empty());
  ForeignNames(folder / "fixed.h5").fixed_length({"cat", "dog", "mouse", "ox"}, 5);
  EXPECT_EQ(LogitFile(folder / "fixed.h5").class_names(),
            (std::vector<std::string>{"cat", "dog", "mouse", "ox"}));
}

TEST(ClassNames, AreOneForEachClass) {
  const test::TemporaryFolder folder;
  ForeignNames(folder / "few.h5").fixed_length({"cat", "dog"}, 3);
  ForeignNames(folder / "numbers.h5").file().dataset<int64_t>("class_names", {4}, {1, 2, 3, 4});
  for (const char* name : {"few.h5", "numbers.h5"})
    EXPECT_THROW(LogitFile(folder / name).class_names(), DataError) << name;
}

}  // namespace
}  // namespace smoothlab::eval
