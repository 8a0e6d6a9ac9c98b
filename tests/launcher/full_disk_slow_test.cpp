// A disk that fills up while the program writes: one line, exit 4, and what was whole stays whole.
#include <sys/mount.h>

#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;

/// A folder whose disk is full for the processes that it runs, but for some room: a small file system of its
/// own where this process may mount one, else a limit on the size of files, which root keeps to as well.
class SmallDisk {
 public:
  SmallDisk() : mounted_(mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=64m") == 0) {}
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  std::string operator/(const std::string& name) const { return folder_ / name; }
  bool mounted() const { return mounted_; }

  ProcessResult run_with_room(uintmax_t bytes, const std::vector<std::string>& arguments) const {
    if (!mounted_)
      return run_process(joined(
          {"bash", "-c", "ulimit -f " + std::to_string(bytes / 1024) + "; exec \"$@\"", "bash", program()},
          arguments));
    const std::string filler = folder_ / "filler";
    const uintmax_t free = std::filesystem::space(folder_.path()).available;
    write_text(filler, std::string(free - std::min(free, bytes), '\0'));
    const auto result = smoothlab(arguments);
    std::filesystem::remove(filler);
    return result;
  }

 private:
  TemporaryFolder folder_;
  bool mounted_;
};

class FullDiskSlow : public testing::TestWithParam<int> {
 protected:
  /// A network whose checkpoint takes 6 MB, and an evaluation whose logit file takes 2 MB.
  FullDiskSlow() {
    write_text(disk / "r.yaml", small_recipe_with({{"hidden: [16]", "hidden: [256]"},
                                                   {"test_samples: 51", "test_samples: 2000"},
                                                   {"steps: 12", "steps: 4"},
                                                   {"every: 6", "every: 100"}}));
    // MPI's own files in shared memory are larger than the limit that stands in for a full disk.
    ranks = std::to_string(disk.mounted() ? GetParam() : 1);
  }
  std::vector<std::string> train() const {
    return {"train", disk / "r.yaml", "--run", disk / "run", "--ranks", ranks, "--resume"};
  }
  std::vector<std::string> evaluate() const {
    return {"evaluate", "--run", disk / "run", "--ranks", ranks, "--json"};
  }
  std::string calibration() const {
    return smoothlab({"calibrate", disk / "run/logits/test.h5", "--json"}).out;
  }
  SmallDisk disk;
  std::string ranks;
};
INSTANTIATE_TEST_SUITE_P(, FullDiskSlow, testing::Values(1, 2));

TEST_P(FullDiskSlow, WhileACheckpointIsWritten) {
  ASSERT_EQ(smoothlab(train()).exit_code, 0);
  const std::string weights = read_text(disk / "run/checkpoints/step-4/weights.safetensors");
  const auto longer = joined(train(), {"--set", "train.steps=8"});
  expect_error(disk.run_with_room(1 << 20, longer), 4, "checkpoints/");
  EXPECT_TRUE(read_text(disk / "run/checkpoints/step-4/weights.safetensors") == weights);
  EXPECT_FALSE(std::filesystem::exists(disk / "run/checkpoints/step-8"));
  // With room again, the run goes on from what it had.
  const auto resumed = smoothlab(joined(longer, {"--json"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::HasSubstr("resumed after step 4"));
  EXPECT_EQ(json::parse(resumed.out)["step"], 8);
}

TEST_P(FullDiskSlow, WhileLogitsAreWritten) {
  ASSERT_EQ(smoothlab(train()).exit_code, 0);
  expect_error(disk.run_with_room(1 << 20, evaluate()), 4, "logits/");
  EXPECT_FALSE(std::filesystem::exists(disk / "run/logits/test.h5"));
  ASSERT_EQ(smoothlab(evaluate()).exit_code, 0);
  const std::string before = calibration();
  ASSERT_EQ(json::parse(before)["rows"], 2000);
  expect_error(disk.run_with_room(1 << 20, evaluate()), 4, "logits/");
  EXPECT_EQ(calibration(), before);
}

}  // namespace
}  // namespace smoothlab::test
