#include "launcher/projected_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/class_names.h"
#include "eval/foreign_file.h"
#include "support/temporary_folder.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ProjectedClassesOf : public testing::Test {
 protected:
  /// A row for each label.
  eval::LogitFile file(const std::vector<std::string>& names, const std::vector<int64_t>& labels) {
    const std::string path = folder / (std::to_string(files_++) + ".h5");
    {
      test::ForeignFile made(path);
      made.dataset("logits", {labels.size(), 6}, std::vector<float>(labels.size() * 6));
      made.dataset("labels", {labels.size()}, labels);
      if (!names.empty()) eval::write_class_names(made.id(), names, path);
    }
    return eval::LogitFile(path);
  }
  std::vector<std::string> chosen(const eval::LogitFile& of, const std::string& task,
                                  const std::string& model) {
    return ProjectedClasses({}).of(of, task, model);
  }
  const std::vector<std::string> birds = {"airplane", "automobile", "bird", "cat", "deer", "dog"},
                                 words = {"<pad>", "</s>", "▁der", "▁Hund", "▁die", "s"};
  test::TemporaryFolder folder;

 private:
  int files_ = 0;
};

TEST_F(ProjectedClassesOf, OfTextAreTheTokensThatComeMostOften) {
  const auto text = file(words, {1, 1, 1, 1, 5, 5, 4, 4, 4, 2, 3, 3});
  EXPECT_THAT(chosen(text, "text", "transformer_small"), ElementsAre("▁die", "▁Hund", "s"));
  EXPECT_THAT(chosen(text, "generated", "mlp"), ElementsAre("<pad>", "</s>", "▁der"));
}

// A file without names made the paper's classes an error of the whole report.
TEST_F(ProjectedClassesOf, OfAFileThatLacksThePapersAreItsOwn) {
  EXPECT_THAT(chosen(file(birds, {0}), "cifar10", "alexnet_tutorial"),
              ElementsAre("airplane", "automobile", "bird"));
  EXPECT_THAT(chosen(file({}, {0}), "cifar10", "alexnet_tutorial"), IsEmpty());
}

TEST_F(ProjectedClassesOf, WishesHoldWhereTheyAreKnown) {
  const auto animals = file(birds, {0});
  ProjectedClasses known({"dog", "cat", "deer"}), lacking({"dog", "cat", "disc"}),
      of_text({"der", "die", "s"});
  EXPECT_THAT(known.of(animals, "generated", "mlp"), ElementsAre("dog", "cat", "deer"));
  known.check();
  EXPECT_THAT(lacking.of(animals, "generated", "mlp"), ElementsAre("airplane", "automobile", "bird"));
  EXPECT_THROW(lacking.check(), UsageError);
  EXPECT_THAT(of_text.of(file(words, {1}), "text", "transformer_small"), ElementsAre("der", "die", "s"));
  of_text.check();
}

}  // namespace
}  // namespace smoothlab::launcher
