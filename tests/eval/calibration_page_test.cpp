#include "eval/calibration_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "eval/reliability_svg.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

CalibrationReport report(const std::string& alpha, double ece, double scaled_ece) {
  CalibrationReport made;
  made.file = "runs/a" + alpha + "/logits.h5";
  made.rows = 30;
  made.classes = 10;
  made.origin = {{"alpha", alpha}, {"task", "toy"}, {"model", "mlp"}};
  for (int i = 0; i < 30; ++i) {
    const double confidence = 0.4 + 0.02 * i;
    made.unscaled.bins.add(confidence_bin(confidence, 15, BinEdges::standard), confidence, i % 3 > 0);
  }
  made.unscaled.ece = ece;
  made.scaled = made.unscaled;
  made.scaled->ece = scaled_ece;
  made.fit = TemperatureFit{1.9, FitEnd::interior};
  return made;
}

TEST(CalibrationPage, PairsHardAndSmoothedAsTable3) {
  const auto rows =
      compare_smoothing({report("0.1", 0.024, 0.02), report("0", 0.15, 0.021), report("", 0.5, 0.5)});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "toy / mlp");
  EXPECT_EQ(rows[0].hard_ece, 0.15);
  EXPECT_EQ(rows[0].hard_scaled_ece, 0.021);
  EXPECT_EQ(rows[0].temperature, 1.9);
  EXPECT_EQ(rows[0].smoothed_ece, 0.024);
  EXPECT_EQ(rows[0].alpha, 0.1);
  EXPECT_THAT(to_text(rows), HasSubstr("0.150"));
  EXPECT_THAT(to_text(rows), HasSubstr("0.021 (T=1.90)"));
  EXPECT_THAT(to_text(rows), HasSubstr("0.024 (alpha=0.1)"));
  EXPECT_EQ(to_text({}), "");
}

TEST(CalibrationPage, ASideThatIsMissingIsLeftOpen) {
  const auto only_hard = compare_smoothing({report("0", 0.15, 0.021)});
  ASSERT_EQ(only_hard.size(), 1U);
  EXPECT_FALSE(only_hard[0].smoothed_ece);
  const auto only_smoothed = compare_smoothing({report("0.1", 0.15, 0.021), report("0.2", 0.15, 0.021)});
  ASSERT_EQ(only_smoothed.size(), 2U);
  EXPECT_FALSE(only_smoothed[0].hard_ece);
}

TEST(CalibrationPage, IsSelfContainedWithUniqueIds) {
  const std::string page = calibration_page({report("0", 0.15, 0.021), report("0.1", 0.024, 0.02)});
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, HasSubstr("0.150"));
  EXPECT_THAT(page, HasSubstr("T = 1.90"));
  std::set<std::string> ids;
  int found = 0;
  const std::regex id("\\bid=\"([^\"]*)\"");
  for (std::sregex_iterator it(page.begin(), page.end(), id), end; it != end; ++it, ++found)
    ids.insert((*it)[1]);
  EXPECT_EQ(found, 4) << "one of each diagram";
  EXPECT_EQ(ids.size(), 4U);
}

TEST(CalibrationPage, TagsAreClosedInOrder) {
  const std::string page = calibration_page({report("0", 0.15, 0.021)});
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z0-9]+)([^>]*?)(/?)>");
  for (std::sregex_iterator it(page.begin(), page.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if (name == "meta" || name == "br" || (*it)[4] == "/") continue;
    if ((*it)[1] == "/") {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(CalibrationPage, TextOfFilesIsEscaped) {
  CalibrationReport hostile = report("0", 0.1, 0.1);
  const std::string text = "<b onclick='x'>&\"";
  hostile.file = text;
  hostile.origin["model"] = text;
  hostile.notes = {text};
  PageOptions options;
  options.title = options.introduction = text;
  const std::string page = calibration_page({hostile}, options);
  EXPECT_THAT(page, Not(HasSubstr("<b onclick")));
  EXPECT_THAT(page, HasSubstr("&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;"));
}

TEST(CalibrationPage, NothingToShowIsStillAPage) {
  const std::string page = calibration_page({});
  EXPECT_THAT(page, HasSubstr("</html>"));
  EXPECT_THAT(page, Not(HasSubstr("What smoothing did")));
}

}  // namespace
}  // namespace smoothlab::eval
