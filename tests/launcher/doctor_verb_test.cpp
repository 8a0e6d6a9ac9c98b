#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// Runs doctor where no tool is to be found and nothing is set.
Json bare_machine() {
  const TemporaryFolder empty;
  const auto result = smoothlab({"doctor", "--json"}, {"PATH=" + empty.path(), "SMOOTHLAB_DATA="});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return Json::parse(result.out);
}

// What was not there used to be "good", needed or not.
TEST(DoctorVerb, WhatIsNotThereIsAbsentOrMissingAndSaysForWhat) {
  const Json found = bare_machine();
  EXPECT_EQ(found["srun"]["state"], "absent");
  EXPECT_EQ(found["SMOOTHLAB_DATA"]["state"], "absent");
  EXPECT_EQ(found["mpirun"]["state"], "missing");
  EXPECT_EQ(found["gnuplot"]["state"], "missing");
  EXPECT_EQ(found["LibTorch"]["state"], "present");
  EXPECT_EQ(found["CUDA"]["state"] == "present", found["CUDA"]["found"] == "in this LibTorch");
  for (const auto& [item, finding] : found.items()) {
    EXPECT_NE(finding["needed_for"], "") << item;
    EXPECT_NE(finding["found"], "") << item;
    EXPECT_TRUE(finding["state"] == "present" || finding["advice"] != "") << item;
  }
}

TEST(DoctorVerb, TextAndJsonAgree) {
  const TemporaryFolder empty;
  const auto text = lines_of(smoothlab({"doctor"}, {"PATH=" + empty.path(), "SMOOTHLAB_DATA=/nowhere"}).out);
  const Json json =
      Json::parse(smoothlab({"doctor", "--json"}, {"PATH=" + empty.path(), "SMOOTHLAB_DATA=/nowhere"}).out);
  ASSERT_EQ(text.size(), json.size());
  size_t line = 0;
  for (const auto& [item, finding] : json.items()) {
    const std::string state = finding["state"];
    const std::string mark = state == "present" ? "ok" : state == "absent" ? "-" : "LACK";
    EXPECT_EQ(text[line].rfind("  " + mark + " ", 0), 0U) << text[line];
    EXPECT_THAT(text[line], HasSubstr(item));
    EXPECT_THAT(text[line], HasSubstr("(for " + finding["needed_for"].get<std::string>()));
    EXPECT_THAT(text[line], HasSubstr(finding["advice"].get<std::string>()));
    ++line;
  }
  EXPECT_EQ(json["SMOOTHLAB_DATA"]["state"], "missing");
}

}  // namespace
}  // namespace smoothlab::test
