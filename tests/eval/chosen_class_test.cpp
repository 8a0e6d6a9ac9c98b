#include "eval/chosen_class.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> animals = {"airplane", "cat", "crane", "dog", "crane", "7", "tench, Tinca"};

std::vector<int64_t> numbers(const std::vector<std::string>& written,
                             const std::vector<std::string>& names = animals) {
  std::vector<int64_t> found;
  for (const auto& one : choose_classes(written, names, 7, "x.h5")) found.push_back(one.number);
  return found;
}

std::string refusal(const std::vector<std::string>& written,
                    const std::vector<std::string>& names = animals) {
  try {
    numbers(written, names);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string split_refusal(const std::vector<std::string>& given) {
  try {
    split_classes(given, 3, "--classes");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ChosenClass, NamesAndNumbers) {
  EXPECT_THAT(numbers({"dog", "0", "tench, Tinca"}), ElementsAre(3, 0, 6));
  EXPECT_THAT(numbers({"4", "2"}), ElementsAre(4, 2));
  EXPECT_THAT(numbers({"7"}), ElementsAre(5));  // a name goes before a number
  EXPECT_THAT(numbers({"3", "0"}, {}), ElementsAre(3, 0));
  EXPECT_EQ(choose_classes({"3"}, animals, 7, "x.h5")[0].name, "dog");
  EXPECT_EQ(choose_classes({"3"}, {}, 7, "x.h5")[0].name, "3");
}

TEST(ChosenClass, RefusalsSayWhatIsMeant) {
  EXPECT_THAT(refusal({"arplane"}), HasSubstr("no class 'arplane' (x.h5); did you mean 'airplane'?"));
  EXPECT_THAT(refusal({"zeppelin"}), HasSubstr("use one of: airplane, cat"));
  EXPECT_THAT(refusal({"cat"}, {}), HasSubstr("the file has no names: give class numbers from 0 to 6"));
  EXPECT_THAT(refusal({"8"}), HasSubstr("no class 8"));
  EXPECT_THAT(refusal({"-1"}), HasSubstr("no class -1"));
  EXPECT_THAT(refusal({"dog", "cat", "3"}), HasSubstr("'dog' and '3' are the same class, 3"));
  EXPECT_THAT(refusal({"crane"}), HasSubstr("class 2 and of class 4"));
  // Not thousands of names in one line.
  const std::string many = refusal({"zeppelin"}, std::vector<std::string>(1000, "ab"));
  EXPECT_THAT(many, HasSubstr("a class number from 0 to 6"));
  EXPECT_LT(many.size(), 200U);
}

// As a class index of ImageNet's users has them, and as lists of synsets with all synonyms do.
const std::vector<std::string> underscored = {"tench", "toy_poodle", "crane",  "miniature_poodle",
                                              "crane", "maillot",    "maillot"},
                               synonyms = {"tench, Tinca tinca",
                                           "toy poodle",
                                           "crane",
                                           "cleaver, meat cleaver, chopper",
                                           "crane",
                                           "sunglasses, dark glasses, shades",
                                           "meerkat, mierkat"};

TEST(ChosenClass, SpacesAndUnderscoresAreTheSame) {
  EXPECT_THAT(numbers({"tench", "toy poodle", "miniature_poodle"}, underscored), ElementsAre(0, 1, 3));
  EXPECT_THAT(numbers({"toy_poodle"}, synonyms), ElementsAre(1));
  EXPECT_EQ(choose_classes({"toy poodle"}, underscored, 7, "x.h5")[0].name, "toy_poodle");
  // What is written exactly so goes first.
  const std::vector<std::string> both = {"a b", "a_b", "c"};
  EXPECT_THAT(numbers({"a_b", "a b"}, both), ElementsAre(1, 0));
}

TEST(ChosenClass, TheFirstSynonymStandsForAll) {
  EXPECT_THAT(numbers({"tench", "meerkat", "cleaver"}, synonyms), ElementsAre(0, 6, 3));
  EXPECT_THAT(numbers({"cleaver, meat cleaver, chopper"}, synonyms), ElementsAre(3));
  EXPECT_THAT(refusal({"chopper"}, synonyms), HasSubstr("there is no class 'chopper'"));
  EXPECT_THAT(refusal({"meerkatt"}, synonyms), HasSubstr("did you mean 'meerkat'?"));
  // A whole name goes before another's first synonym.
  const std::vector<std::string> suits = {"maillot, tank suit", "maillot", "maillot, top"};
  EXPECT_THAT(numbers({"maillot"}, suits), ElementsAre(1));
  // Word pieces have commas of their own.
  EXPECT_THAT(refusal({"1.5"}, {",", "1.5,", "a", "b", "c", "d", "e"}), HasSubstr("no class '1.5'"));
}

TEST(ChosenClass, OfNamesakesTheMessageSaysWhatToWrite) {
  EXPECT_THAT(
      refusal({"crane"}, underscored),
      HasSubstr("'crane' is the name of class 2 and of class 4 (x.h5); give the number of the one that is "
                "meant: 2, 4"));
  EXPECT_THAT(refusal({"maillot"}, underscored), HasSubstr("meant: 5, 6"));
  const std::vector<std::string> suits = {"maillot, tank suit", "mail", "maillot, top"};
  EXPECT_THAT(
      refusal({"maillot"}, suits),
      HasSubstr("give the number or the whole name of the one that is meant: 0 ('maillot, tank suit'), "
                "2 ('maillot, top')"));
  EXPECT_THAT(numbers({"maillot, top"}, suits), ElementsAre(2));
  const std::string many = refusal({"ab"}, std::vector<std::string>(1000, "ab"));
  EXPECT_THAT(many, HasSubstr("'ab' is the name of 1000 classes"));
  EXPECT_LT(many.size(), 150U);
}

TEST(ChosenClass, FiguresHaveShortNames) {
  const auto names = [](const std::vector<std::string>& written, const std::vector<std::string>& all) {
    return short_names(choose_classes(written, all, 7, "x.h5"));
  };
  EXPECT_THAT(names({"tench", "toy poodle", "cleaver"}, synonyms),
              ElementsAre("tench", "toy poodle", "cleaver"));
  EXPECT_THAT(names({"toy poodle", "2", "4"}, underscored),
              ElementsAre("toy poodle", "crane (2)", "crane (4)"));
  EXPECT_THAT(names({"1", "0", "2"}, {}), ElementsAre("1", "0", "2"));
  EXPECT_THAT(names({",", "_", "_a"}, {",", "_", "_a", "b"}), ElementsAre(",", "_", "_a"));
}

TEST(ChosenClass, AListIsSplitAtCommasOrGivenPartByPart) {
  EXPECT_THAT(split_classes({"a,b c,d"}, 3, "--classes"), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(split_classes({"tench, Tinca", "b", "c"}, 3, "--classes"),
              ElementsAre("tench, Tinca", "b", "c"));
  EXPECT_THAT(split_refusal({"a,b"}), HasSubstr("2 classes are given (--classes); give 3 classes"));
  EXPECT_THAT(split_refusal({"a"}), HasSubstr("1 class is given"));
  EXPECT_THAT(split_refusal({}), HasSubstr("0 classes are given"));
  EXPECT_THAT(split_refusal({"a,b,c,d"}), HasSubstr("4 classes are given"));
  EXPECT_THAT(split_refusal({"a,,c"}), HasSubstr("a class has no name"));
  EXPECT_THAT(split_refusal({"a,b,a"}), HasSubstr("class 'a' is given twice"));
}

}  // namespace
}  // namespace smoothlab::eval
