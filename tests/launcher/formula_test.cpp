#include "launcher/formula.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const trainer::Place here{"study.yaml:7", false};

std::string value(const std::string& text, const std::map<std::string, std::string>& values = {}) {
  return Formula(text, "optimizer.lr", here).value([&](const std::string& name) { return values.at(name); });
}

std::string refusal(const std::string& text, const std::map<std::string, std::string>& values = {}) {
  try {
    return "no error, but " + value(text, values);
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Formula, OneNameIsItsValueWhateverItsType) {
  EXPECT_EQ(value("=teachers.run", {{"teachers.run", "\"runs/a b\""}}), "\"runs/a b\"");
  EXPECT_EQ(value("= model.hidden ", {{"model.hidden", "[8, 4]"}}), "[8, 4]");
}

TEST(Formula, WhatIsInARunsFolderIsAPath) {
  EXPECT_EQ(value("=teachers.run/logits/train.h5", {{"teachers.run", "\"runs/a b\""}}),
            "\"runs/a b/logits/train.h5\"");
  const Formula formula("=of-hard.run/of-hard.h5", "teacher.logits", here, {"of-hard"});
  EXPECT_THAT(formula.names(), ElementsAre("of-hard.run"));
  EXPECT_THAT(formula.value([](const std::string&) { return "runs/x"; }), HasSubstr("runs/x/of-hard.h5"));
  EXPECT_EQ(value("=a.steps/2", {{"a.steps", "8"}}), "4") << "of anything else a part";
}

TEST(Formula, ArithmeticKnowsKeysByTheirDottedNames) {
  const Formula formula("=0.1*train.global_batch/128", "optimizer.lr", here);
  EXPECT_THAT(formula.names(), ElementsAre("train.global_batch"));
  EXPECT_EQ(value("=0.1*train.global_batch/128", {{"train.global_batch", "512"}}), "0.4");
  EXPECT_EQ(value("=a.b + a.c * 2", {{"a.b", "1"}, {"a.c", "1e-1"}}), "1.2");
  EXPECT_EQ(value("=a > 2 ? 10 : 20", {{"a", "3"}}), "10");
}

TEST(Formula, WholeNumbersAreWrittenAsSuch) {
  EXPECT_EQ(value("=0.1*3*10"), "3") << "3.0000000000000004 in doubles";
  EXPECT_EQ(value("=64000/4"), "16000");
  EXPECT_EQ(value("=floor(7/2) + ceil(7/2)"), "7");
  EXPECT_EQ(value("=2^40"), "1099511627776");
  EXPECT_EQ(value("=1/3"), "0.3333333333333333");
}

TEST(Formula, HyphensOfStagesAreNoMinus) {
  const std::vector<std::string> stages = {"net-a", "net"};
  const auto values = [](const std::string& name) { return name == "net-a.x" ? "7" : "2"; };
  EXPECT_EQ(Formula("=net-a.x", "k", here, stages).value(values), "7");
  EXPECT_EQ(Formula("=net-a.x-net.x", "k", here, stages).value(values), "5");
  EXPECT_THAT(Formula("=3*net-a.x", "k", here, stages).names(), ElementsAre("net-a.x"));
  EXPECT_EQ(Formula("=train.steps-1", "k", here, stages).value(values), "1");
}

TEST(Formula, WhatIsNoneIsNamedWithItsPlace) {
  EXPECT_THAT(refusal("=1 +"),
              AllOf(HasSubstr("'=1 +' is no formula"), HasSubstr("study.yaml:7: optimizer.lr")));
  EXPECT_THAT(refusal("="), HasSubstr("no formula"));
  EXPECT_THAT(refusal("=nonsense(2)"), HasSubstr("no formula"));
  EXPECT_THAT(refusal("=1/0"), HasSubstr("comes to inf"));
  EXPECT_THAT(refusal("=2*model.name", {{"model.name", "mlp"}}),
              HasSubstr("'model.name' is mlp, which is no number"));
}

}  // namespace
}  // namespace smoothlab::launcher
