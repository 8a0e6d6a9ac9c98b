// ImageNet through the program: tars of the official layout, index, training, evaluation, projection.
#include <nlohmann/json.hpp>

#include "data/jpeg_image.h"
#include "data/jpeg_imagenet.h"
#include "eval/logit_file.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class ImagenetSlow : public testing::Test {
 protected:
  void prepare(const JpegImagenet& images) {
    const auto made = images.write(folder.path());
    const auto result =
        smoothlab({"data", "prepare", "imagenet", "--train", made.train, "--validation", made.validation,
                   "--validation-synsets", made.validation_synsets, "--out", folder / "index"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    write_text(folder / "r.yaml", recipe());
  }
  std::string recipe() const {
    return "task: {data: imagenet, path: " + (folder / "index") +
           ", validation: 5, damaged: 0.2, augment: {size: 32, flip: true, jitter: 0.4, normalize: "
           "inception}}\n"
           "model: {name: resnet8}\n"
           "targets: {alpha: 0.1}\n"
           "optimizer: {name: sgd, lr: 0.01, momentum: 0.9, nesterov: true, weight_decay: 8e-5}\n"
           "train: {steps: 3, global_batch: 6, micro_batch: 3, device: cpu, log_every: 1, ema: 0.9}\n"
           "evaluate: {batch: 4}\n"
           "logits: {splits: [test], precision: float16}\n"
           "checkpoint: {every: 2}\n";
  }
  ProcessResult train(const std::string& run, const std::string& ranks,
                      const std::vector<std::string>& more = {}) const {
    return smoothlab(joined({"train", folder / "r.yaml", "--run", folder / run, "--ranks", ranks}, more));
  }
  TemporaryFolder folder;
};

TEST_F(ImagenetSlow, IndexTrainValidateStreamProject) {
  JpegImagenet images;
  images.validation = 9;
  prepare(images);
  const auto trained = train("run", "2", {"--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(json::parse(trained.out)["evaluation"]["rows"], 5) << "the held-out images";
  const std::string file = folder / "run/logits/test.h5";
  const eval::LogitFile logits(file);
  EXPECT_EQ(logits.rows(), 9);
  EXPECT_EQ(logits.classes(), 3);
  EXPECT_EQ(logits.penultimate(), 64);

  // A run's weights are weights like any others: the same rows, whoever evaluates.
  const std::string again = folder / "again.h5",
                    weights = folder / "run/checkpoints/step-3/average.safetensors";
  const auto given = smoothlab({"evaluate", "--weights", weights, "--recipe", folder / "r.yaml", "--split",
                                "test", "--logits", again, "--json"});
  ASSERT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(json::parse(given.out)["weights"], weights);
  const auto nll = [](const std::string& path) {
    return json::parse(smoothlab({"calibrate", path, "--json", "--bootstrap", "0"}).out)["nll"].get<double>();
  };
  EXPECT_NEAR(nll(again), nll(file), 2e-3) << "stored as float32, and as float16";

  // Training images may be elsewhere by now: nothing of them is read. ReaL labels are those of the file, of
  // all images but the last, where the second has two.
  std::filesystem::rename(folder / "train.tar", folder / "away.tar");
  write_text(folder / "real.json", "[[0], [1, 2], [2], [0], [1], [2], [0], [1], []]");
  const auto test = smoothlab({"evaluate", "--run", folder / "run", "--split", "test", "--logits", again,
                               "--real", folder / "real.json", "--json"});
  EXPECT_EQ(test.exit_code, 0) << test.err;
  std::vector<float> rows(9 * 3);
  eval::LogitFile(again).read_logits(0, 9, rows.data());
  int right = 0;
  for (int i = 0; i < 8; ++i) {
    const auto best = std::max_element(rows.begin() + 3 * i, rows.begin() + 3 * i + 3) - rows.begin() - 3 * i;
    right += best == i % 3 || (i == 1 && best == 2);
  }
  EXPECT_EQ(json::parse(test.out)["real_images"], 8);
  EXPECT_DOUBLE_EQ(json::parse(test.out)["real_accuracy"].get<double>(), right / 8.0);
  expect_error(smoothlab({"evaluate", "--run", folder / "run", "--split", "train", "--logits", again}), 3,
               "train.tar");

  const auto projected = smoothlab({"project", file, "--classes", "0,1,2", "--json"});
  EXPECT_EQ(projected.exit_code, 0) << projected.err;
  EXPECT_THAT(projected.out, HasSubstr(JpegImagenet::synset(2)));
}

TEST_F(ImagenetSlow, ADamagedImageIsNamedOnceAndReplacedOnAnyRanks) {
  JpegImagenet images;
  images.damage = [](const std::string& file, bool training, int label, int image) {
    return training && label == 1 && image == 3 ? file.substr(0, 90) : file;
  };
  prepare(images);
  std::vector<std::string> losses;
  for (const char* ranks : {"1", "2"}) {
    // Two passes, so that the image comes twice.
    const auto trained = train(std::string("run") + ranks, ranks,
                               {"--set", "task.validation=0", "--set", "train.steps=6", "--set",
                                "evaluate.split=train", "--set", "logits.splits=[train]"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const std::string name = "n00001001_103.JPEG";
    size_t named = 0;
    for (size_t at = trained.err.find(name); at != std::string::npos; at = trained.err.find(name, at + 1))
      ++named;
    EXPECT_EQ(named, 1U) << trained.err;
    const auto lines = lines_of(read_text(folder / (std::string("run") + ranks) + "/metrics.jsonl"));
    const auto calibrated =
        smoothlab({"calibrate", folder / (std::string("run") + ranks) + "/logits/train.h5"});
    EXPECT_THAT(calibrated.out, HasSubstr("stood in for damaged ones: 1."));
    losses.push_back(fmt::format("{:.2f}", json::parse(lines.at(0))["loss"].get<double>()));
  }
  EXPECT_EQ(losses[0], losses[1]);

  const auto strict = train("strict", "2", {"--set", "task.damaged=0", "--set", "task.validation=0"});
  expect_error(strict, 3, "1 of 18 images found damaged");
}

TEST_F(ImagenetSlow, GivenWeightsNeedTheirNetworkAndTheirData) {
  prepare(JpegImagenet());
  const std::string recipe = folder / "r.yaml";
  expect_only_error(smoothlab({"evaluate", "--weights", folder / "w"}), 2, "--recipe");
  expect_only_error(smoothlab({"evaluate", "--recipe", recipe}), 2, "--weights");
  expect_only_error(smoothlab({"evaluate", "--run", folder.path(), "--recipe", recipe}), 2, "--recipe");
  expect_only_error(smoothlab({"evaluate", "--weights", folder / "w", "--recipe", recipe, "--step", "3"}), 2,
                    "--step");
  expect_error(smoothlab({"evaluate", "--weights", folder / "w", "--recipe", recipe}), 3, folder / "w");
  expect_only_error(smoothlab({"evaluate", "--weights", folder / "w", "--recipe", folder / "none.yaml"}), 2,
                    "none.yaml");
}

TEST_F(ImagenetSlow, InputsAreShownAsAPicture) {
  prepare(JpegImagenet());
  const auto show = [&](const std::vector<std::string>& more) {
    return smoothlab(joined({"data", "show", folder / "r.yaml"}, more));
  };
  const auto size_of = [&](const std::string& path) {
    const std::string bytes = read_text(path);
    data::JpegImage image(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), path);
    return std::pair(image.width(), image.height());
  };
  const std::string out = folder / "pictures/inputs.jpg";
  ASSERT_EQ(show({"--out", out}).exit_code, 0);
  EXPECT_EQ(size_of(out), std::pair(int64_t{8 * 100 - 4}, int64_t{6 * 100 - 4}))
      << "six samples, seven epochs, pixels repeated";
  ASSERT_EQ(show({"--out", out, "--samples", "2,0", "--epochs", "2", "--split", "test"}).exit_code, 0);
  EXPECT_EQ(size_of(out), std::pair(int64_t{3 * 100 - 4}, int64_t{2 * 100 - 4}));
  ASSERT_EQ(show({"--out", out, "--set", "task.augment.size=120"}).exit_code, 0);
  EXPECT_EQ(size_of(out), std::pair(int64_t{8 * 124 - 4}, int64_t{6 * 124 - 4})) << "large enough";

  write_text(folder / "mine.jpg", "no picture of ours");
  expect_only_error(show({"--out", folder / "mine.jpg"}), 2, "mine.jpg");
  expect_only_error(show({}), 2, "output");
  expect_only_error(show({"--out", out, "--samples", "18"}), 2, "sample 18 of");
  expect_only_error(show({"--out", out, "--split", "dev"}), 2, "--split");
}

TEST_F(ImagenetSlow, RecipesAreHeldToWhatImagesHave) {
  prepare(JpegImagenet());
  const auto fails = [&](const std::string& setting, const std::string& part) {
    expect_only_error(train("bad", "1", {"--set", setting}), 2, part);
  };
  fails("task.augment.normalize=per_image", "task.augment.normalize=per_image");
  fails("task.augment.pad=4", "'task.augment.pad' means nothing where task.data is imagenet");
  fails("task.augment.area_low=0", "task.augment.area_low");
  fails("task.augment.area_high=0.01", "area_low is above area_high");
  fails("task.augment.aspect_low=2", "aspect_low is above aspect_high");
  fails("task.augment.centre=1.1", "task.augment.centre");
  fails("task.augment.filter=lanczos", "task.augment.filter");
  fails("task.damaged=2", "task.damaged");
  fails("task.validation=18", "cannot hold out 18 of 18");
  expect_only_error(train("bad", "1", {"--set", "task.path=/nowhere"}), 3, "data prepare imagenet");
}

}  // namespace
}  // namespace smoothlab::test
