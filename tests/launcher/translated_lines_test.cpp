#include "launcher/translated_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace smoothlab::launcher {
namespace {

TranslatedLine two_of_line(int64_t number) {
  return {number, "A house.", 3, false, {{"Ein Haus.", -0.5, -1, 3, false}, {"Haus.", -1, -1.5, 2, true}}};
}

TEST(TranslatedLines, PlainIsAlwaysOneLine) {
  EXPECT_EQ(printed(two_of_line(4), {}), "Ein Haus.\n");
  EXPECT_EQ(printed({5, "", 0, false, {}}, {}), "\n");
  TranslatedLine odd = two_of_line(1);
  odd.translations[0].text = "a\nb\rc\td";
  EXPECT_EQ(printed(odd, {}), "a b c\td\n");
  EXPECT_EQ(printed(odd, {false, true, false}), "-0.500000\t-1.000000\ta b c d\n");
}

TEST(TranslatedLines, ScoresAndNumbersAreColumns) {
  EXPECT_EQ(printed(two_of_line(4), {false, true, false}), "-0.500000\t-1.000000\tEin Haus.\n");
  EXPECT_EQ(printed(two_of_line(4), {false, false, true}), "4\tEin Haus.\n4\tHaus.\n");
  EXPECT_EQ(printed(two_of_line(4), {false, true, true}),
            "4\t-0.500000\t-1.000000\tEin Haus.\n4\t-1.000000\t-1.500000\tHaus.\n");
  EXPECT_EQ(printed({5, "", 0, false, {}}, {false, true, true}), "5\t0.000000\t0.000000\t\n");
}

TEST(TranslatedLines, JsonIsAnObjectALine) {
  const std::string text = printed(two_of_line(4), {true, false, false});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["line"], 4);
  EXPECT_EQ(json["source"], "A house.");
  EXPECT_EQ(json["translations"][1]["text"], "Haus.");
  EXPECT_EQ(json["translations"][1]["cut"], true);
  EXPECT_EQ(json["translations"][0]["log_probability"], -1);
  EXPECT_FALSE(json.contains("too_long"));
  const auto long_one = nlohmann::json::parse(printed({5, "x", 9999, true, {}}, {true, false, false}));
  EXPECT_EQ(long_one["too_long"], true);
  EXPECT_TRUE(long_one["translations"].empty());
  TranslatedLine broken = two_of_line(1);
  broken.translations[0].text = "\xC3";
  EXPECT_TRUE(nlohmann::json::accept(printed(broken, {true, false, false})));
}

}  // namespace
}  // namespace smoothlab::launcher
