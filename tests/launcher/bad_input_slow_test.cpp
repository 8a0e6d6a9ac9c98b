// Every input that can be wrong, through the program: the exit code, and one line that says what, where and
// what to do. On two ranks the line is the same, and there is no second one, of another rank, of mpirun or of
// a library.
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "eval/foreign_file.h"
#include "launcher/program.h"
#include "support/idx_bytes.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;

/// A recipe for images of files.
std::string file_recipe(const std::string& data, const std::string& path) {
  return "task: {data: " + data + ", path: " + path +
         "}\n"
         "model: {name: mlp, hidden: [16]}\n"
         "optimizer: {name: sgd, lr: 0.05}\n"
         "train: {steps: 6, global_batch: 16, device: cpu}\n"
         "evaluate: {every: 6, split: test}\n"
         "checkpoint: {every: 4}\n";
}

class BadInputSlow : public testing::Test {
 protected:
  BadInputSlow() { write_text(folder / "r.yaml", small_recipe()); }

  /// Training with these settings fails on 1 and on 2 ranks, before anything is made.
  void expect_training_fails(const std::vector<std::string>& more, int code, const std::string& part,
                             const std::string& recipe = "r.yaml") const {
    for (const char* ranks : {"1", "2"}) {
      const auto result =
          smoothlab(joined({"train", folder / recipe, "--run", folder / "run", "--ranks", ranks}, more));
      SCOPED_TRACE(part + " on " + ranks);
      expect_only_error(result, code, part);
      EXPECT_FALSE(std::filesystem::exists(folder / "run/checkpoints/step-4"));
    }
  }
  void expect_recipe_fails(const std::string& text, const std::string& part) const {
    write_text(folder / "bad.yaml", text);
    expect_training_fails({}, 2, part, "bad.yaml");
  }
  TemporaryFolder folder;
};

TEST_F(BadInputSlow, RecipesNameFileLineAndKey) {
  const std::string start = "task: {data: generated}\nmodel: {name: mlp}\n";
  expect_recipe_fails(start + "train: {steps: 2}\ntargets: {alhpa: 0.1}\n", "bad.yaml:4");
  expect_recipe_fails(start + "train: {steps: 2}\ntargets: {alhpa: 0.1}\n", "did you mean 'alpha'?");
  expect_recipe_fails(start + "train: {steps: 2}\nnonsense: 1\n", "bad.yaml:4");
  expect_recipe_fails(start + "train: {steps: many}\n", "bad.yaml:3");
  expect_recipe_fails(start + "train: {steps: 2}\ntargets: {alpha: 1.5}\n", "bad.yaml:4");
  expect_recipe_fails(start + "train: {steps: [2}\n", "bad.yaml");
}

class BadInputSlowIdx : public BadInputSlow {
 protected:
  BadInputSlowIdx() {
    write_text(folder / "idx.yaml", file_recipe("mnist", folder / "idx"));
    for (const std::string split : {"train", "t10k"}) {
      write_text(images(split), idx({40, 28, 28}, std::string(40 * 28 * 28, 'x')));
      write_text(labels(split), idx({40}, std::string(40, '\3')));
    }
  }
  std::string images(const std::string& split) const {
    return folder / ("idx/" + split + "-images-idx3-ubyte");
  }
  std::string labels(const std::string& split) const {
    return folder / ("idx/" + split + "-labels-idx1-ubyte");
  }
  void expect_fails(const std::string& part) const { expect_training_fails({}, 3, part, "idx.yaml"); }
};

// Every rank reads the recipe, and the second of two readers of a pipe used to find it empty or gone.
TEST_F(BadInputSlow, ARecipeThatCanBeReadOnlyOnce) {
  const std::string pipe = folder / "pipe.yaml";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_only_error(smoothlab({"train", pipe, "--ranks", "2"}), 2, "can be read only once");
}

TEST_F(BadInputSlow, ARunWhoseRecipeIsDamagedIsBadDataWhoeverOpensIt) {
  write_text(folder / "run/recipe.yaml", "task: {data: generated");
  write_text(folder / "a.yaml", small_recipe());
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"train", folder / "a.yaml", "--run", folder / "run", "--resume"},
           {"evaluate", "--run", folder / "run"}})
    expect_error(smoothlab(command), 3, "the run's recipe cannot be read");
}

TEST_F(BadInputSlow, AnotherNumberOfRanksThanTheJobHas) {
  write_text(folder / "a.yaml", small_recipe());
  const auto result = run_process({"/usr/bin/env", "mpirun", "--oversubscribe", "-n", "2", program(), "train",
                                   folder / "a.yaml", "--run", folder / "run", "--ranks", "3"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("error: --ranks 3 within a job of 2 ranks"));
}

TEST_F(BadInputSlowIdx, WholeFilesTrain) {
  const auto result = smoothlab({"train", folder / "idx.yaml", "--run", folder / "run", "--ranks", "2"});
  // 40 samples of one label are no MNIST, but nothing of the files is wrong.
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(BadInputSlowIdx, Missing) {
  std::filesystem::remove(images("train"));
  expect_fails(images("train"));
}

TEST_F(BadInputSlowIdx, Truncated) {
  std::filesystem::resize_file(images("train"), 1000);
  expect_fails(images("train"));
}

TEST_F(BadInputSlowIdx, WrongMagic) {
  write_text(images("train"), "\x7f" + read_text(images("train")).substr(1));
  expect_fails(images("train"));
}

TEST_F(BadInputSlowIdx, LabelOutOfRange) {
  write_text(labels("train"), idx({40}, std::string(39, '\3') + '\x0b'));
  expect_fails(labels("train"));
}

TEST_F(BadInputSlow, CifarOfOddLength) {
  const std::string record(3073, '\1');
  for (const std::string name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"})
    write_text(folder / ("cifar/" + name + ".bin"), record + record);
  std::string names;
  for (int i = 0; i < 10; ++i) names += "class" + std::to_string(i) + "\n";
  write_text(folder / "cifar/batches.meta.txt", names);
  write_text(folder / "cifar.yaml", file_recipe("cifar10", folder / "cifar"));
  write_text(folder / "cifar/data_batch_3.bin", record + record.substr(1));
  expect_training_fails({}, 3, "data_batch_3.bin", "cifar.yaml");
  write_text(folder / "cifar/data_batch_3.bin", record + '\x0a' + record.substr(1));
  expect_training_fails({}, 3, "data_batch_3.bin", "cifar.yaml");
}

// It used to be exit code 1 with fifty frames of LibTorch's stack.
TEST_F(BadInputSlow, ANetworkLargerThanAnyMemory) {
  expect_training_fails({"--set", "model.hidden=[400000000000]"}, 4, "out of memory");
}

class BadInputSlowLogits : public BadInputSlow {
 protected:
  static void write(const std::string& path, hsize_t rows, hsize_t classes, hsize_t labels, float first) {
    ForeignFile file(path);
    std::vector<float> logits(rows * classes);
    for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7);
    logits[0] = first;
    file.dataset<float>("logits", {rows, classes}, logits);
    file.dataset<int64_t>("labels", {labels}, std::vector<int64_t>(labels, 0));
  }
  std::string good() const {
    write(folder / "good.h5", 20, 3, 20, 1.0F);
    return folder / "good.h5";
  }
};

TEST_F(BadInputSlowLogits, EachIsNamed) {
  const std::string file = folder / "bad.h5";
  write(file, 20, 3, 20, std::numeric_limits<float>::quiet_NaN());
  expect_only_error(smoothlab({"calibrate", file}), 3, "bad.h5");
  write(file, 20, 3, 19, 1.0F);
  expect_only_error(smoothlab({"calibrate", file}), 3, "bad.h5");
  write(file, 20, 1, 20, 1.0F);
  expect_only_error(smoothlab({"calibrate", file}), 3, "bad.h5");
  write_text(file, "no HDF5 file");
  expect_only_error(smoothlab({"calibrate", file}), 3, "bad.h5");
  std::filesystem::resize_file(good(), 1000);
  expect_only_error(smoothlab({"calibrate", folder / "good.h5"}), 3, "good.h5");
}

// One bad file used to cost the results of all.
TEST_F(BadInputSlowLogits, OneAmongManyCostsTheOthersNothing) {
  const std::string bad = folder / "bad.h5", page = folder / "page.html";
  write(bad, 20, 3, 19, 1.0F);
  std::filesystem::copy_file(good(), folder / "last.h5");
  const auto result =
      smoothlab({"calibrate", good(), bad, folder / "missing.h5", folder / "last.h5", "--page", page});
  EXPECT_EQ(result.exit_code, 3);
  const auto errors = lines_of(result.err);
  ASSERT_EQ(errors.size(), 2U) << result.err;
  EXPECT_THAT(errors[0], testing::AllOf(testing::StartsWith("error: "), HasSubstr("bad.h5")));
  EXPECT_THAT(errors[1], testing::AllOf(testing::StartsWith("error: "), HasSubstr("missing.h5")));
  EXPECT_THAT(result.out, HasSubstr("good"));
  EXPECT_THAT(result.out, HasSubstr("last"));
  EXPECT_TRUE(std::filesystem::exists(page));
}

TEST_F(BadInputSlowLogits, FiguresWithoutGnuplotFailBeforeTheWork) {
  const auto result =
      smoothlab({"calibrate", good(), "--figures", folder / "figures"}, {"PATH=" + folder.path()});
  expect_only_error(result, 4, "gnuplot");
}

}  // namespace
}  // namespace smoothlab::test
