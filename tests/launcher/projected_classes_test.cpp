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
      const size_t classes = names.empty() ? 6 : names.size();
      test::ForeignFile made(path);
      made.dataset("logits", {labels.size(), classes}, std::vector<float>(labels.size() * classes));
      made.dataset("labels", {labels.size()}, labels);
      if (!names.empty()) eval::write_class_names(made.id(), names, path);
    }
    return eval::LogitFile(path);
  }
  /// The first triple, or none.
  std::vector<std::string> chosen(const eval::LogitFile& of, const std::string& task,
                                  const std::string& model) {
    const auto triples = ProjectedClasses({}).of(of, task, model);
    return triples.empty() ? std::vector<std::string>() : triples[0].classes;
  }
  std::vector<std::string> only(ProjectedClasses& classes, const eval::LogitFile& of, const std::string& task,
                                const std::string& model) {
    const auto triples = classes.of(of, task, model);
    EXPECT_THAT(triples, testing::SizeIs(1));
    return triples[0].classes;
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

TEST_F(ProjectedClassesOf, OfImageNetAreBothTriplesHoweverItsNamesAreWritten) {
  const std::vector<std::string> underscored = {"tench",   "toy_poodle", "miniature_poodle",
                                                "meerkat", "cleaver",    "crane",
                                                "crane"},
                                 synonyms = {"tench, Tinca tinca",
                                             "toy poodle",
                                             "miniature poodle",
                                             "meerkat, mierkat",
                                             "cleaver, meat cleaver, chopper",
                                             "x",
                                             "y"};
  for (const auto& names : {underscored, synonyms}) {
    const auto images = file(names, {0});
    const auto triples = ProjectedClasses({}).of(images, "imagenet", "inception_v4");
    ASSERT_THAT(triples, testing::SizeIs(2));
    EXPECT_THAT(triples[0].classes, ElementsAre("tench", "meerkat", "cleaver"));
    EXPECT_FALSE(triples[0].similar);
    EXPECT_THAT(triples[1].classes, ElementsAre("toy poodle", "miniature poodle", "tench"));
    EXPECT_TRUE(triples[1].similar);
  }
  // Of another network they are the first three.
  EXPECT_THAT(chosen(file(synonyms, {0}), "imagenet", "resnet50_imagenet"),
              ElementsAre("tench, Tinca tinca", "toy poodle", "miniature poodle"));
}

// The first three of a file were an error of the whole report where two of them have one name.
TEST_F(ProjectedClassesOf, NamesakesAreNotChosen) {
  EXPECT_THAT(chosen(file({"crane", "crane", "ox", "cat"}, {0}), "generated", "mlp"), IsEmpty());
}

TEST_F(ProjectedClassesOf, WishesHoldWhereTheyAreKnown) {
  const auto animals = file(birds, {0});
  ProjectedClasses known({"dog", "cat", "deer"}), lacking({"dog", "cat", "disc"}),
      of_text({"der", "die", "s"});
  EXPECT_THAT(only(known, animals, "generated", "mlp"), ElementsAre("dog", "cat", "deer"));
  known.check();
  EXPECT_THAT(only(lacking, animals, "generated", "mlp"), ElementsAre("airplane", "automobile", "bird"));
  EXPECT_THROW(lacking.check(), UsageError);
  EXPECT_THAT(only(of_text, file(words, {1}), "text", "transformer_small"), ElementsAre("der", "die", "s"));
  of_text.check();
}

}  // namespace
}  // namespace smoothlab::launcher
