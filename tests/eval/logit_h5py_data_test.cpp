#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "summary_fixture.h"
#include "support/process.h"
#include "support/temporary_folder.h"

// What Python's h5py, which knows nothing of this program, makes of its files. Skipped where there is no
// h5py.
namespace smoothlab::eval {
namespace {

const char* const read_it = R"(
import sys, h5py, numpy as np
with h5py.File(sys.argv[1]) as f:
    n, k = int(sys.argv[2]), 40
    z = f["logits"][:]
    r, c = np.mgrid[0:n, 0:k]
    assert z.dtype == sys.argv[3] and np.array_equal(z, ((r * 37 + c * 11) % 1009 - 504) / 8), z
    assert np.array_equal(f["labels"][:], np.arange(n) * 7 % k) and f["labels"].dtype == "int64"
    assert np.array_equal(f["sample_id"][:], np.arange(n))
    assert np.array_equal(f["position"][:], np.arange(n) % 5) and f["position"].dtype == "int32"
    assert f["penultimate"].shape == (n, 6) and f["penultimate"].dtype == sys.argv[3]
    assert f["classifier/weight"].shape == (k, 6) and f["classifier/bias"].shape == (k,)
    a = f.attrs
    assert a["task"] == "cifar10" and a["recipe"] == "model: {name: resnet56}\n# α\n", a["recipe"]
    assert a["alpha"] == 0.05 and a["schema"] == 1 and a["complete"] == 1 and a["rows"] == n
    print(f["logits"].is_virtual, f["logits"].chunks)
)";

class LogitH5pyDataTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test::run_process({"/usr/bin/python3", "-c", "import h5py"}).exit_code != 0)
      GTEST_SKIP() << "/usr/bin/python3 has no h5py";
  }
  std::string h5py_sees(const std::string& file, int64_t rows, LogitPrecision precision) {
    const auto result = test::run_process({"/usr/bin/python3", "-c", read_it, file, std::to_string(rows),
                                           precision == LogitPrecision::float32 ? "float32" : "float16"},
                                          {"PYTHONUTF8=1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  const test::TemporaryFolder folder;
  const std::string path = folder / "test.h5";
};

TEST_F(LogitH5pyDataTest, OpensPlainVirtualAndPackedFiles) {
  for (const auto precision : {LogitPrecision::float32, LogitPrecision::float16}) {
    std::vector<std::string> shards;
    for (int rank = 0; rank < 3; ++rank) {
      shards.push_back(shard_path(path, "a0", rank, 3));
      test::write_shard(shards.back(), {100 + rank, 40, 6, true, precision}, 100 * rank + rank / 2, 32,
                        rank == 0);
    }
    EXPECT_THAT(h5py_sees(shards[0], 100, precision), testing::HasSubstr("False (100, 40)"));
    publish_logit_file(path, shards);
    EXPECT_THAT(h5py_sees(path, 303, precision), testing::HasSubstr("True None"));
    pack_logit_file(path, folder / "packed.h5");
    EXPECT_THAT(h5py_sees(folder / "packed.h5", 303, precision), testing::HasSubstr("False (303, 40)"));
  }
}

TEST_F(LogitH5pyDataTest, OpensASummaryAndTakesItsFiguresFromIt) {
  const char* const check_it = R"(
import sys, h5py, numpy as np
with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2]) as full:
    z, y, T, lse = full["logits"][:].astype("float64"), f["labels"][:], f["temperatures"][:], f["log_sum_exp"][:]
    assert T.shape == (65,) and T[32] == 1 and lse.dtype == "float64" and lse.shape == (90, 65)
    assert np.allclose(lse, np.log(np.exp(z[:, :, None] / T).sum(axis=1)), rtol=1e-12, atol=1e-12)
    assert np.array_equal(f["label_logit"][:], z[np.arange(90), y])
    assert np.array_equal(f["top_classes"][:], np.argsort(-z, axis=1, kind="stable")[:, :10])
    assert np.array_equal(f["top_logits"][:], -np.sort(-z, axis=1)[:, :10])
    assert f["top_classes"].dtype == "int32" and f["position"].dtype == "int32" and "logits" not in f
    a = f.attrs
    assert a["keep"] == "summary" and a["classes"] == 40 and a["schema"] == 1 and a["complete"] == 1
    print(f["log_sum_exp"].is_virtual)
)";
  const LogitRows rows = test::gaussian_rows(90, 40, 1);
  test::write_rows(folder / "full.h5", rows, 40);
  std::vector<std::string> shards;
  for (int rank = 0; rank < 2; ++rank) {
    shards.push_back(shard_path(path, "a0", rank, 2));
    test::write_rows(shards.back(), test::cut(rows, 40, 45 * rank, 45), 40, summary_shape(40));
  }
  publish_logit_file(path, shards);
  const auto result =
      test::run_process({"/usr/bin/python3", "-c", check_it, path, folder / "full.h5"}, {"PYTHONUTF8=1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, testing::HasSubstr("True"));
}

TEST_F(LogitH5pyDataTest, ReadsWhatH5pyWrites) {
  const char* const write_it = R"(
import sys, h5py, numpy as np
r, c = np.mgrid[0:1000, 0:30]
with h5py.File(sys.argv[1], "w") as f:
    f.create_dataset("logits", data=((r * 37 + c * 11) % 1009 - 504) / 8, compression="gzip", shuffle=True)
    f["labels"] = (np.arange(1000) * 7 % 30).astype("int16")
    f.attrs["complete"] = True
    f.attrs["model"] = "théirs"
)";
  const auto result = test::run_process({"/usr/bin/python3", "-c", write_it, path}, {"PYTHONUTF8=1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const LogitFile file(path);
  EXPECT_TRUE(test::holds_split(file));
  EXPECT_EQ(file.rows(), 1000);
  EXPECT_EQ(file.attribute("model"), "théirs");
  EXPECT_TRUE(file.complete());
}

}  // namespace
}  // namespace smoothlab::eval
