#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;

/// Two classes, two images in each, as class folders.
void write_folders(const std::string& folder) {
  for (const std::string split : {"train", "val"})
    for (const std::string synset : {"n01440764", "n01443537"})
      for (const std::string number : {"1", "2"})
        write_text(folder + "/" + split + "/" + synset + "/" + synset + "_" + number + ".JPEG",
                   split + synset + number);
}

class PrepareImagenetVerb : public testing::Test {
 protected:
  std::vector<std::string> command() const {
    return {"data",         "prepare",      "imagenet", "--train",       folder / "train",
            "--validation", folder / "val", "--out",    folder / "index"};
  }
  const TemporaryFolder folder;
};

TEST_F(PrepareImagenetVerb, IndexesAndSaysWhatThereIs) {
  write_folders(folder.path());
  write_text(folder / "train/readme.txt", "text");
  const auto first = smoothlab(command());
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(first.out,
            folder / "index" + std::string(": 2 classes\n  train: 4 images, 2 to 2 a class; class ") +
                "folders in " + (folder / "train") + "\n    skipped: beside the folders of classes: 1 (" +
                (folder / "train/readme.txt") +
                ")\n  validation: 4 images, 2 to 2 a class; class folders in " + (folder / "val") + "\n");
  EXPECT_THAT(first.err, HasSubstr("train: 4 images, where ILSVRC 2012 has 1281167"));
  EXPECT_THAT(first.err, HasSubstr("train: skipped 1: beside the folders of classes, such as "));
  const auto second = smoothlab(joined(command(), {"--json"}));
  EXPECT_THAT(second.err, HasSubstr("the index was there already"));
  const auto json = nlohmann::json::parse(second.out);
  EXPECT_EQ(json["already_there"], true);
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["classes"], 2);
  EXPECT_EQ(json["splits"]["train"]["images"], 4);
  EXPECT_EQ(json["splits"]["train"]["skipped"][0]["members"], 1);
  EXPECT_EQ(json["splits"]["validation"]["layout"], "class folders");
}

TEST_F(PrepareImagenetVerb, ErrorsHaveTheirCodes) {
  write_folders(folder.path());
  expect_only_error(smoothlab(joined(command(), {"--expect-complete"})), 3, "not the whole of ILSVRC 2012");
  expect_only_error(smoothlab({"data", "prepare", "imagenet", "--train", folder / "train"}), 2,
                    "add --out DIR");
  expect_only_error(smoothlab({"data", "prepare", "imagenet", "--out", folder / "index"}), 2,
                    "no images named");
  expect_only_error(smoothlab({"data", "prepare", "imagent", "--out", folder / "index"}), 2,
                    "did you mean 'imagenet'?");
  write_text(folder / "val.tar", std::string(3000, 'x'));
  expect_only_error(smoothlab({"data", "prepare", "imagenet", "--validation", folder / "val.tar", "--out",
                               folder / "index"}),
                    3, "no header of a tar archive: its checksum differs (" + (folder / "val.tar"));
}

TEST_F(PrepareImagenetVerb, HasHelp) {
  const auto help = smoothlab({"data", "prepare", "imagenet", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--validation-synsets"));
  EXPECT_THAT(smoothlab({"data", "--help"}).out, HasSubstr("data prepare imagenet"));
}

}  // namespace
}  // namespace smoothlab::test
