#include "eval/evaluation_pass.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/task.h"
#include "eval/logit_chunks.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

std::shared_ptr<const data::Dataset> some_images(int64_t count) {
  data::TaskOptions options;
  options.data = "generated";
  options.train_samples = 40;
  options.test_samples = count;
  return data::open_task(options, 1).test;
}

std::unique_ptr<models::Network> some_network() {
  models::NetworkOptions options;
  options.name = "resnet8";
  options.channels_last = true;
  return models::make_network(options);
}

/// Gives NaN for one sample.
class NetworkThatDiverges : public models::Network {
 public:
  models::Rows forward(const std::vector<at::Tensor>& inputs,
                       const models::ForwardContext& context) override {
    at::Tensor logits = at::zeros({inputs[0].size(0), 10});
    logits.select(1, 3).masked_fill_(context.sample_ids == 37, std::nan(""));
    return {logits, at::zeros({inputs[0].size(0), 2})};
  }
  models::Classifier classifier() const override { return {at::zeros({10, 2}), at::zeros({10})}; }
  int64_t classes() const override { return 10; }
  int64_t penultimate_size() const override { return 2; }
};

/// From sample 48 on, files cannot grow beyond a kilobyte.
class NetworkThatFillsTheDisk : public models::Network {
 public:
  NetworkThatFillsTheDisk() : ignored_(signal(SIGXFSZ, SIG_IGN)) { getrlimit(RLIMIT_FSIZE, &before_); }
  ~NetworkThatFillsTheDisk() override {
    free_the_disk();
    signal(SIGXFSZ, ignored_);
  }
  void free_the_disk() { setrlimit(RLIMIT_FSIZE, &before_); }
  models::Rows forward(const std::vector<at::Tensor>& inputs,
                       const models::ForwardContext& context) override {
    const rlimit full{1024, before_.rlim_max};
    if (context.sample_ids.min().item<int64_t>() >= 48) setrlimit(RLIMIT_FSIZE, &full);
    return {at::zeros({inputs[0].size(0), 10}), at::zeros({inputs[0].size(0), 2})};
  }
  models::Classifier classifier() const override { return {at::zeros({10, 2}), at::zeros({10})}; }
  int64_t classes() const override { return 10; }
  int64_t penultimate_size() const override { return 2; }

 private:
  rlimit before_{};
  void (*ignored_)(int);
};

class EvaluationPassTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "logits/test.h5";
  const std::unique_ptr<cluster::Communicator> solo = cluster::make_solo_communicator();
  const cluster::Placement placement;
  cluster::Log log{0, true};

  CalibrationSums run(models::Network& network, int64_t images, EvaluationOptions options) {
    options.batch = 16;
    return evaluate(network, some_images(images), *solo, placement, options, log);
  }
};

TEST_F(EvaluationPassTest, StoresTheRowsThatItJudges) {
  const auto network = some_network();
  EvaluationOptions options;
  options.logits = path;
  options.channels_last = true;
  options.origin.model = "resnet8";
  const CalibrationSums sums = run(*network, 70, options);

  const LogitFile file(path);
  EXPECT_EQ(file.rows(), 70);
  EXPECT_EQ(file.attribute("model"), "resnet8");
  EXPECT_EQ(file.attribute("ranks"), "1");
  CalibrationSums again;
  for_each_chunk(file, 1, [&](int, const LogitChunk& chunk) {
    accumulate_calibration(chunk.logits, chunk.labels, chunk.rows, chunk.classes, 1.0, again);
  });
  EXPECT_EQ(sums.rows, 70);
  EXPECT_EQ(sums.correct, again.correct);
  EXPECT_NEAR(sums.mean_nll(), again.mean_nll(), 1e-12);
  EXPECT_NEAR(sums.ece(), again.ece(), 1e-12);

  // Labels and ids are those of the split.
  std::vector<int64_t> ids(70), labels(70);
  file.read_sample_ids(0, 70, ids.data());
  file.read_labels(0, 70, labels.data());
  const auto images = some_images(70);
  for (int64_t i = 0; i < 70; ++i) {
    const auto n = static_cast<size_t>(i);
    EXPECT_EQ(ids[n], i);
    EXPECT_EQ(labels[n], images->collate({{i, 0}}, data::Augment::none).labels.item<int64_t>());
  }

  // Templates and activations are those that made the logits (paper, sec. 2): z = x·wᵀ + b.
  auto [weight, bias] = file.classifier();
  std::vector<float> activations(static_cast<size_t>(70 * file.penultimate())), logits(700);
  file.read_penultimate(0, 70, activations.data());
  file.read_logits(0, 70, logits.data());
  const at::Tensor x = at::from_blob(activations.data(), {70, file.penultimate()});
  const at::Tensor w = at::from_blob(weight.data(), {10, file.penultimate()});
  const at::Tensor z = at::from_blob(bias.data(), {10}) + x.matmul(w.t());
  EXPECT_TRUE(at::allclose(z, at::from_blob(logits.data(), {70, 10}), 1e-4, 1e-4));
}

TEST_F(EvaluationPassTest, LeavesTheNetworkAsItWas) {
  const auto network = some_network();
  std::vector<at::Tensor> before;
  for (const auto& parameter : network->parameters()) before.push_back(parameter.value);
  EvaluationOptions options;
  options.bf16 = true;
  options.channels_last = true;
  const CalibrationSums half = run(*network, 64, options);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(network->parameters()[i].value.is_same(before[i]));
    EXPECT_TRUE(before[i].requires_grad());
  }
  options.bf16 = false;
  const CalibrationSums full = run(*network, 64, options);
  EXPECT_NE(half.mean_nll(), full.mean_nll()) << "bf16 was not used";
  EXPECT_NEAR(half.mean_nll(), full.mean_nll(), 0.05 * full.mean_nll());
}

TEST_F(EvaluationPassTest, KeepsWhatIsAskedFor) {
  const auto network = some_network();
  EvaluationOptions options;
  options.logits = path;
  options.keep_penultimate = false;
  options.precision = LogitPrecision::float16;
  run(*network, 20, options);
  const LogitFile file(path);
  EXPECT_EQ(file.penultimate(), 0);
  EXPECT_TRUE(file.has("classifier/weight"));
  EXPECT_EQ(cluster::local_file_system()->list(folder / "logits"), std::vector<std::string>{"test.h5"});
}

TEST_F(EvaluationPassTest, AFullDiskKeepsTheOlderFileWhicheverOperationFails) {
  const auto network = some_network();
  EvaluationOptions options;
  options.logits = path;
  run(*network, 20, options);
  const auto faulty = std::make_shared<test::FaultyFileSystem>();
  options.files = faulty;
  for (int n = 1;; ++n) {
    faulty->fail_at(n, test::Fault::no_space);
    std::string problem;
    try {
      run(*network, 30, options);
    } catch (const EnvironmentError& error) {
      problem = error.what();
    }
    const LogitFile file(path);  // whole
    EXPECT_TRUE(file.rows() == 20 || file.rows() == 30) << n;
    if (!faulty->has_failed()) {
      EXPECT_EQ(problem, "");
      EXPECT_EQ(file.rows(), 30);
      EXPECT_GT(n, 4);
      break;
    }
    // Folder, space (two operations), rename and the folder's sync; what comes after is cleaning up.
    if (n <= 5) {
      EXPECT_THAT(problem, HasSubstr("No space left on device")) << n;
    }
  }
  EXPECT_EQ(cluster::local_file_system()->list(folder / "logits"), std::vector<std::string>{"test.h5"});
}

TEST_F(EvaluationPassTest, ADiskThatFillsWhileRowsAreWrittenKeepsTheOlderFile) {
  const auto good = some_network();
  EvaluationOptions options;
  options.logits = path;
  run(*good, 20, options);
  NetworkThatFillsTheDisk bad;
  EXPECT_THROW(run(bad, 200, options), EnvironmentError);
  bad.free_the_disk();
  EXPECT_EQ(LogitFile(path).rows(), 20);
  run(*good, 25, options);
  EXPECT_EQ(LogitFile(path).rows(), 25);
  EXPECT_EQ(cluster::local_file_system()->list(folder / "logits"), std::vector<std::string>{"test.h5"});
}

TEST_F(EvaluationPassTest, NamesTheSampleThatIsNotFiniteAndKeepsTheOlderFile) {
  const auto good = some_network();
  EvaluationOptions options;
  options.logits = path;
  run(*good, 20, options);
  NetworkThatDiverges bad;
  try {
    run(bad, 60, options);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("nan as logit 3"), HasSubstr("sample 37")));
  }
  EXPECT_EQ(LogitFile(path).rows(), 20);
  // Rows before are in the shard that was left.
  const auto names = cluster::local_file_system()->list(folder / "logits");
  ASSERT_EQ(names.size(), 2U);
  const LogitFile shard(folder / "logits/" + (names[0] == "test.h5" ? names[1] : names[0]),
                        Incomplete::accept);
  std::vector<int64_t> ids(60);
  shard.read_sample_ids(0, 60, ids.data());
  EXPECT_EQ(ids[31], 31);
  EXPECT_EQ(ids[32], -1);
}

}  // namespace
}  // namespace smoothlab::eval
