#include "eval/printable.h"

#include <gtest/gtest.h>

#include "eval/calibration_report.h"
#include "eval/smoothing_comparison.h"

namespace smoothlab::eval {
namespace {

TEST(Printable, LeavesTextAndUtf8) {
  EXPECT_EQ(printable("α = 0.1, Größe ≤ 3, 日本"), "α = 0.1, Größe ≤ 3, 日本");
}

TEST(Printable, ReplacesControlCharactersOfEveryKind) {
  EXPECT_EQ(printable("a\x1b[31mb\x7f\a"), "a?[31mb??");
  EXPECT_EQ(printable("a\nb\tc\r"), "a b c ");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a?31m");
  EXPECT_EQ(printable("a\x9b\x9b"), "a??") << "single bytes that Latin-1 terminals obey";
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a?b");
}

// A model named with an escape sequence used to colour the terminal.
TEST(Printable, TablesCarryNoControlCharacterOfAFile) {
  CalibrationReport report;
  report.file = "x\x1b.h5";
  report.rows = 3;
  report.classes = 2;
  report.origin = {{"alpha", "0"}, {"model", "m\x1b[31m\nx"}, {"split", "\a"}};
  report.notes = {"note \x1b"};
  report.unscaled.bins = ReliabilityBins(15);
  for (const auto& text : {to_table({report}), to_text(compare_smoothing({report}))}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\a'), std::string::npos);
    EXPECT_NE(text.find("m?[31m x"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace smoothlab::eval
