// Real photographs, packed into tars of the official layout, through all of the program.
#include <nlohmann/json.hpp>

#include <cstdlib>

#include "data/small_imagenet.h"
#include "eval/logit_file.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

TEST(ImagenetData, PhotographsAreIndexedTrainedOnValidatedStreamedAndProjected) {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  const std::string data = root ? std::string(root) + "/imagenet" : "";
  if (!root || !fs::exists(data + "/images")) GTEST_SKIP() << "no ImageNet in $SMOOTHLAB_DATA";
  std::map<std::string, std::string> images;  // "n01440764_tench.JPEG"
  for (const auto& entry : fs::directory_iterator(data + "/images"))
    images[entry.path().filename().string()] = read_text(entry.path().string());
  ASSERT_EQ(images.size(), 110U);

  // The official validation tar is of numbered images; these are numbered by the first of their class.
  const TemporaryFolder folder;
  const std::string list = data + "/imagenet_2012_validation_synset_labels.txt";
  const auto synsets = lines_of(read_text(list));
  std::string train, validation;
  std::map<std::string, std::string> numbered;
  for (const auto& [name, bytes] : images) {
    const std::string synset = name.substr(0, 9);
    train += tar_member(synset + ".tar", tar_archive(tar_member(name, bytes)));
    const auto line = std::find(synsets.begin(), synsets.end(), synset) - synsets.begin();
    numbered[fmt::format("ILSVRC2012_val_{:08}.JPEG", line + 1)] = bytes;
  }
  for (const auto& [name, bytes] : numbered) validation += tar_member(name, bytes);
  write_text(folder / "train.tar", tar_archive(train));
  write_text(folder / "val.tar", tar_archive(validation));
  const auto prepared =
      smoothlab({"data", "prepare", "imagenet", "--out", folder / "index", "--train", folder / "train.tar",
                 "--validation", folder / "val.tar", "--validation-synsets", list, "--classes",
                 data + "/imagenet_class_index.json"});
  ASSERT_EQ(prepared.exit_code, 0) << prepared.err;

  const std::string recipe = source_path("recipes/paper/imagenet-inception_v4.yaml"), run = folder / "run";
  const auto trained = smoothlab({"train",
                                  recipe,
                                  "--run",
                                  run,
                                  "--ranks",
                                  "2",
                                  "--json",
                                  "--set",
                                  "task.path=" + (folder / "index"),
                                  "--set",
                                  "task.validation=10",
                                  "--set",
                                  "train.epochs=0",
                                  "--set",
                                  "train.steps=2",
                                  "--set",
                                  "train.global_batch=8",
                                  "--set",
                                  "train.micro_batch=4",
                                  "--set",
                                  "schedule.warmup=1",
                                  "--set",
                                  "optimizer.lr=0.01",
                                  "--set",
                                  "evaluate.batch=10",
                                  "--set",
                                  "train.device=cpu",
                                  "--set",
                                  "train.log_every=1"},
                                 {"SMOOTHLAB_DATA=" + std::string(root)});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json outcome = json::parse(trained.out);
  EXPECT_EQ(outcome["step"], 2);
  EXPECT_EQ(outcome["evaluation"]["rows"], 10);
  EXPECT_THAT(trained.err, HasSubstr("46.04 M parameters"));  // the auxiliary head's included

  const std::string file = run + "/logits/test.h5";
  const eval::LogitFile logits(file);
  EXPECT_EQ(logits.rows(), 110);
  EXPECT_EQ(logits.classes(), 1000);
  EXPECT_EQ(logits.penultimate(), 1536);
  const auto names = logits.class_names();
  ASSERT_EQ(names.size(), 1000U);
  EXPECT_EQ(names[0], "tench");
  // The one image of each class is enough for the three templates and a point each.
  const auto projected = smoothlab({"project", file, "--classes", "tench,meerkat,cleaver", "--json"});
  ASSERT_EQ(projected.exit_code, 0) << projected.err;
  const auto calibrated = smoothlab({"calibrate", file, "--json"});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  EXPECT_EQ(json::parse(calibrated.out)["rows"], 110);
}

}  // namespace
}  // namespace smoothlab::test
