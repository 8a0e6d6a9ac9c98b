#include "eval/reliability_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/gnuplot.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

CalibrationReport sample_report() {
  CalibrationReport report;
  report.file = "runs/it's <odd> & {_^}.h5";
  report.origin["alpha"] = "0.1";
  report.rows = 3000;
  report.classes = 10;
  for (int i = 0; i < 3000; ++i) {
    const double confidence = 0.2 + 0.8 * (i % 1000) / 999.0;
    report.unscaled.bins.add(confidence_bin(confidence, 15, BinEdges::standard), confidence,
                             (i * 7919) % 1000 < 800 * confidence);
  }
  report.unscaled.ece = report.unscaled.bins.expected_error(3000);
  report.scaled = report.unscaled;
  report.fit = TemperatureFit{1.5, FitEnd::interior};
  return report;
}

TEST(ReliabilityFigure, DrawsEveryFormat) {
  const test::TemporaryFolder folder;
  write_reliability_figures(sample_report(), folder / "r",
                            {FigureFormat::svg, FigureFormat::png, FigureFormat::pdf});
  const auto files = cluster::local_file_system();
  EXPECT_THAT(files->read(folder / "r.png"), StartsWith("\x89PNG\r\n"));
  const std::string svg = files->read(folder / "r.svg");
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("it's &lt;odd> &amp; {_^}.h5"));
  EXPECT_THAT(svg, HasSubstr("T = 1.50"));
  EXPECT_THAT(svg, HasSubstr("gap to confidence"));
  EXPECT_THAT(files->read(folder / "r.pdf"), StartsWith("%PDF-"));
}

// A chunk in the wrong place or with a wrong checksum makes a picture that nothing opens.
TEST(ReliabilityFigure, APngSaysWhoMadeItAndStaysAPng) {
  const std::string png = reliability_figure("x", reliability_panels(sample_report()), FigureFormat::png);
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png.at(at + i));
    return value;
  };
  std::vector<std::string> types;
  std::string text;
  for (size_t at = 8; at < png.size(); at += 12 + number(at)) {
    types.push_back(png.substr(at + 4, 4));
    if (types.back() == "tEXt") text = png.substr(at + 8, number(at));
    EXPECT_EQ(cluster::checksum(png.data() + at + 4, 4 + number(at)), number(at + 8 + number(at)));
  }
  ASSERT_GT(types.size(), 3U);
  EXPECT_EQ(types.front(), "IHDR");
  EXPECT_EQ(types.back(), "IEND");
  EXPECT_EQ(text, std::string("Software\0smoothlab", 18));
}

TEST(ReliabilityFigure, RowsInNoBinAreDrawnToo) {
  const ReliabilityPanel empty{"nothing", "", ReliabilityBins(15)};
  EXPECT_THAT(reliability_figure("empty", {empty}, FigureFormat::svg), HasSubstr("</svg>"));
}

TEST(ReliabilityFigure, AMissingGnuplotIsNamedWithItsPackage) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  try {
    reliability_figure("x", reliability_panels(sample_report()), FigureFormat::svg);
    ADD_FAILURE() << "drawn by whom?";
  } catch (const EnvironmentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("gnuplot-nox"));
  }
  setenv("PATH", path.c_str(), 1);
}

TEST(ReliabilityFigure, AFailureOfGnuplotCarriesItsMessage) {
  try {
    run_gnuplot("set terminal svg\nplot nonsense(\n");
    FAIL();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("invalid expression"));
  }
}

TEST(ReliabilityFigure, QuotingKeepsTextAndDropsControls) {
  EXPECT_EQ(gnuplot_quoted("it's\n\"x\" `date`"), "'it''s \"x\" `date`'");
}

}  // namespace
}  // namespace smoothlab::eval
