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
