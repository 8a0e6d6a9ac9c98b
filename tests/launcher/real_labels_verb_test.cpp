// ReaL labels through the program: calibrate --real, and evaluate --real before its work.
#include <nlohmann/json.hpp>

#include "eval/foreign_file.h"
#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RealLabelsVerb : public testing::Test {
 protected:
  /// Four images of three classes; the greatest logits are those of 2, 1, 0 and 2.
  std::string logits(const std::string& name, const std::string& split) const {
    ForeignFile file(folder / name);
    file.dataset<float>("logits", {4, 3}, {0, 1, 2, 0, 3, 1, 4, 1, 2, -1, 0, 1});
    file.dataset<int64_t>("labels", {4}, {2, 1, 0, 0});
    file.attribute("task", std::string("imagenet"));
    file.attribute("split", split);
    return folder / name;
  }
  RealLabelsVerb() { write_text(real, "[[2], [0, 2], [], [1, 2]]"); }
  const TemporaryFolder folder;
  const std::string real = folder / "real.json";
};

TEST_F(RealLabelsVerb, CalibrateSaysWhatTheyMakeOfAFile) {
  const std::string test = logits("test.h5", "test"), page = folder / "page.html";
  const auto table = smoothlab({"calibrate", test, "--real", real, "--page", page});
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("ReaL accuracy: 0.6667, of the 3 images with ReaL labels"));
  EXPECT_THAT(table.out, HasSubstr("note: Only 1 of 3 labels of the file"));
  EXPECT_THAT(read_text(page), HasSubstr("ReaL accuracy 66.67 %, of 3 images"));
  const auto object = smoothlab({"calibrate", test, "--real", real, "--json"});
  ASSERT_EQ(object.exit_code, 0) << object.err;
  EXPECT_NEAR(json::parse(object.out)["real_accuracy"].get<double>(), 2.0 / 3, 1e-12);
  EXPECT_EQ(json::parse(object.out)["real_images"], 3);
  const auto without = json::parse(smoothlab({"calibrate", test, "--json", "--bootstrap", "0"}).out);
  EXPECT_TRUE(without["real_accuracy"].is_null());
  EXPECT_TRUE(without["real_images"].is_null());
}

TEST_F(RealLabelsVerb, AFileOfAnotherSplitCostsNoOther) {
  const std::string test = logits("test.h5", "test"), other = logits("validation.h5", "validation");
  const auto both = smoothlab({"calibrate", other, test, "--real", real, "--json"});
  EXPECT_EQ(both.exit_code, 3);
  ASSERT_EQ(json::parse(both.out).size(), 1U);
  EXPECT_EQ(json::parse(both.out)[0]["real_images"], 3);
  EXPECT_THAT(both.err, HasSubstr("error: ReaL labels are of ImageNet's official validation images"));
}

TEST_F(RealLabelsVerb, BadOnesAreAnErrorAndReplaceNothing) {
  const std::string test = logits("test.h5", "test"), page = folder / "page.html";
  expect_only_error(smoothlab({"calibrate", test, "--real", real, "--page", real}), 2, real);
  write_text(real, "[[2], [0, 2], [], [1, 2]");
  expect_only_error(smoothlab({"calibrate", test, "--real", real, "--page", page}), 3, "no JSON (" + real);
  EXPECT_FALSE(std::filesystem::exists(page));
}

TEST_F(RealLabelsVerb, EvaluateRefusesOtherDataBeforeItsWork) {
  write_text(folder / "r.yaml", small_recipe());
  ASSERT_EQ(smoothlab({"train", folder / "r.yaml", "--run", folder / "run"}).exit_code, 0);
  const auto evaluate = [&](const std::vector<std::string>& more) {
    return smoothlab(joined({"evaluate", "--run", folder / "run", "--real", real}, more));
  };
  expect_error(evaluate({}), 3, "not of split test of generated");
  expect_only_error(evaluate({"--classes", "disc,ring"}), 2, "draws are of the training split");
  EXPECT_FALSE(std::filesystem::exists(folder / "run/logits/test.h5"));
}

}  // namespace
}  // namespace smoothlab::test
