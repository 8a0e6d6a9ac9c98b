#include "eval/report_page.h"

#include <gmock/gmock.h>

#include <chrono>

#include "eval/output_file.h"
#include "eval/report_fixture.h"

namespace smoothlab::eval {
namespace {

using test::ended_run;
using testing::HasSubstr;
using testing::Not;

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(ReportPage, ShowsEveryPartThatRunsCover) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.15), ended_run(0.05, 1, 0.72, 0.03)};
  runs[0].calibration = test::calibration_with(0.15, 0.02, 1.9);
  runs[1].calibration = test::calibration_with(0.03, 0.02, 0.9);
  runs[1].differences = {"train.steps is 800, in the paper's recipe 64000"};
  runs[1].problems = {"test.h5 is left out: it is <damaged>."};
  const std::string page = report_page("A & B", runs);
  EXPECT_THAT(page, HasSubstr(output_marker(OutputKind::page)));
  EXPECT_THAT(page, HasSubstr("<h1>A &amp; B</h1>"));
  for (const char* words : {"CIFAR-100, ResNet-56", "What the paper says", "Figures of the paper",
                            "Reliability", "Mutual information", "Training loss", "train.steps is 800",
                            "&lt;damaged&gt;", "LibTorch 1.13.0", "1234", "1 h 00 min"})
    EXPECT_THAT(page, HasSubstr(words)) << words;
  EXPECT_THAT(page, Not(HasSubstr("Penultimate projections"))) << "there are none";
  for (const char* outside : {"http:", "https:", "<script", "src=", "url(h"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_EQ(count(page, "<svg"), 3 + 1 + 4U) << "reliability, information, training";
  for (int figure = 0; figure < 8; ++figure)
    EXPECT_LE(count(page, "id=\"figure-" + std::to_string(figure) + "\""), 1U);
}

TEST(ReportPage, NamesRunsThatHaveNotEnded) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.15)};
  runs[0].end.reset();
  const std::string page = report_page("x", runs);
  EXPECT_THAT(page, HasSubstr("Not ended and not in these figures: 1 of its runs"));
  EXPECT_THAT(page, HasSubstr("not ended, step 64000"));
}

TEST(ReportPage, OfManyRunsIsSmallAndQuick) {
  std::vector<ReportRun> runs;
  for (int run = 0; run < 100; ++run) {
    runs.push_back(ended_run(0.05 * (run % 5), static_cast<uint64_t>(run), 0.72, 0.1));
    for (int64_t step = 1; step <= 1280; ++step)
      runs.back().training.push_back({64000 + 50 * step, 1.0, 0.7});
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string page = report_page("x", runs);
  EXPECT_LT(page.size(), 5U << 20);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 3);
}

}  // namespace
}  // namespace smoothlab::eval
