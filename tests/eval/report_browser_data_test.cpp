// The report in a real browser: skipped where Chromium is not installed.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cluster/file_system.h"
#include "eval/penultimate_projection.h"
#include "eval/projection_fixture.h"
#include "eval/report_fixture.h"
#include "eval/report_page.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

/// Shows the report in a frame of a phone's and of a desk's width and writes down what does not fit.
const char* measuring_page = R"html(<!doctype html><body>
<iframe id="narrow" src="report.html" width="390" height="800"></iframe>
<iframe id="wide" src="report.html" width="1440" height="900"></iframe>
<script>
function measure(id) {
  const page = document.getElementById(id).contentDocument, width = page.documentElement.clientWidth;
  const result = {width: width, scroll: page.documentElement.scrollWidth, figures: 0, empty: [], outside: []};
  for (const svg of page.querySelectorAll('svg')) {
    ++result.figures;
    if (svg.querySelectorAll('circle, rect.bar, path.mark, path.curve').length == 0) result.empty.push(svg.id);
    const frame = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1)
        result.outside.push(text.textContent);
    }
  }
  for (const text of page.querySelectorAll('h1, h2, h3, h4, p, li, figcaption, table.claims .badge')) {
    const box = text.getBoundingClientRect();
    if (box.right > width + 1) result.outside.push(text.textContent.slice(0, 60));
  }
  return result;
}
window.onload = () => {
  const found = document.createElement('pre');
  found.id = 'found';
  found.textContent = JSON.stringify({narrow: measure('narrow'), wide: measure('wide')});
  document.body.appendChild(found);
};
</script></body>)html";

std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    if (test::run_process({"sh", "-c", std::string("command -v ") + name}).exit_code == 0) return name;
  return "";
}

std::vector<ReportRun> runs_with_everything(const std::string& logits) {
  test::ProjectionSample sample;
  sample.generate();
  sample.write(logits, [](test::ForeignFile& file) { file.attribute("split", std::string("validation")); });
  std::vector<ReportRun> runs;
  runs.reserve(16);  // students refer to their teachers
  for (const double alpha : {0.0, 0.05}) {
    runs.push_back(test::ended_run(alpha, 1, 0.72, 0.15 - 2 * alpha));
    runs.push_back(test::ended_run(alpha, 2, 0.73, 0.15 - 2 * alpha));
    for (ReportRun* run : {&runs[runs.size() - 2], &runs.back()}) {
      run->calibration = test::calibration_with(0.15 - 2 * alpha, 0.02, 1.9);
      run->projections.push_back({project(LogitFile(logits), {"0", "1", "2"})});
      run->projections.push_back({project(LogitFile(logits), {"0", "1", "3"}), true});
      run->differences = {"train.steps is 800, in the paper's recipe 64000"};
    }
  }
  for (size_t teacher = 0; teacher < 4; ++teacher)
    for (const double temperature : {1.0, 4.0}) {
      ReportRun& student = runs.emplace_back(test::ended_run(0, runs[teacher].seed, 0.6, 0.1));
      student.model = "alexnet_tutorial";
      student.taught = ReportRun::Taught{&runs[teacher],
                                         "resnet56_t2t",
                                         runs[teacher].alpha,
                                         "paper",
                                         1,
                                         temperature,
                                         0.1 * temperature + runs[teacher].alpha};
    }
  return runs;
}

TEST(ReportBrowserData, FitsScreensAndHasItsMarks) {
  const std::string chromium = browser();
  if (chromium.empty()) GTEST_SKIP() << "no Chromium to look at the report with";
  const test::TemporaryFolder folder;
  const auto files = cluster::local_file_system();
  cluster::write_file_whole(*files, folder / "report.html",
                            report_page("Report", runs_with_everything(folder / "logits.h5")));
  cluster::write_file_whole(*files, folder / "measure.html", measuring_page);
  const auto looked = test::run_process(
      {chromium, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
       "--enable-logging=stderr", "--user-data-dir=" + (folder / "profile"), "--window-size=1900,1900",
       "--virtual-time-budget=10000", "--dump-dom", "file://" + (folder / "measure.html")});
  ASSERT_EQ(looked.exit_code, 0) << looked.err;
  EXPECT_THAT(looked.err, testing::Not(testing::HasSubstr("CONSOLE")));
  const size_t begin = looked.out.find("<pre id=\"found\">"), end = looked.out.find("</pre>");
  ASSERT_NE(begin, std::string::npos) << looked.out.substr(0, 400);
  const auto found = nlohmann::json::parse(looked.out.substr(begin + 16, end - begin - 16));
  for (const auto& [name, width] : {std::pair("narrow", 390), std::pair("wide", 1440)}) {
    const auto& page = found.at(name);
    EXPECT_LE(page.at("scroll").get<int>(), width) << name << ": it must not scroll sideways";
    EXPECT_EQ(page.at("figures"), 3 + 4 + 1 + 4 + 1)
        << "reliability, projections, information, training, distillation";
    EXPECT_TRUE(page.at("empty").empty()) << name << ": figures without marks: " << page.at("empty");
    EXPECT_TRUE(page.at("outside").empty()) << name << ": text that does not fit: " << page.at("outside");
  }
}

}  // namespace
}  // namespace smoothlab::eval
