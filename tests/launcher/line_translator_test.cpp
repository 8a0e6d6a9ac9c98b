#include "launcher/line_translator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cluster/error.h"
#include "launcher/line_translator_fixture.h"

namespace smoothlab::launcher {
namespace {

using test::joined_text;
using test::letter_model;
using testing::ElementsAre;
using testing::HasSubstr;

class LineTranslator : public testing::Test {
 protected:
  std::vector<std::string> translate(const std::string& text, const LineTranslation& translation = {}) {
    std::ofstream(folder / "text", std::ios::binary) << text;
    return test::translated(folder / "text", *solo, translation, letter_model());
  }
  test::TemporaryFolder folder;
  std::unique_ptr<cluster::Communicator> solo = cluster::make_solo_communicator();
};

TEST_F(LineTranslator, LinesStayInOrderAndEmptyOnesEmpty) {
  EXPECT_EQ(joined_text(translate("abc\n\nhello\n!?\nx\r\nlast")), "bcd\n\nifmmp\n\ny\nmbtu\n");
  EXPECT_EQ(joined_text(translate("")), "");
  EXPECT_EQ(joined_text(translate("\n\n")), "\n\n");
}

TEST_F(LineTranslator, EachWindowIsPrintedBeforeTheNext) {
  LineTranslation translation;
  translation.window.lines = 2;
  EXPECT_THAT(translate("a\nbb\nc\ndd\ne\n", translation), ElementsAre("b\ncc\n", "d\nee\n", "f\n"));
}

// 2000 lines were read before the first was printed.
TEST_F(LineTranslator, FirstWindowsAreSmall) {
  std::string text;
  for (int i = 0; i < 1200; ++i) text += "a\n";
  LineTranslation translation;
  translation.window.lines = 300;
  std::vector<size_t> lines;
  for (const std::string& piece : translate(text, translation)) lines.push_back(piece.size() / 2);
  EXPECT_THAT(lines, ElementsAre(64, 128, 256, 300, 300, 152));
}

TEST_F(LineTranslator, SaysOnceHowManyThereWere) {
  const auto said = [&](const std::string& text) {
    std::ofstream(folder / "text") << text;
    LineTranslation translation;
    translation.source = translation.target = test::toy_vocabulary(test::letters);
    translation.path = folder / "text";
    test::ToyTranslator network(test::letters, letter_model());
    testing::internal::CaptureStderr();
    cluster::Log log(0);
    translate_lines(network, translation, test::letter_coding(), *solo, log, [](const std::string&) {});
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said("ab\n"), testing::StartsWith("1 line translated, "));
  const std::string two = said("ab\ncd\n");
  EXPECT_THAT(two, testing::StartsWith("2 lines translated, "));
  EXPECT_EQ(std::count(two.begin(), two.end(), '\n'), 1) << two;
}

TEST_F(LineTranslator, LineThatIsTooLongIsLeftEmptyAndNamed) {
  LineTranslation translation;
  translation.longest_source = 5;
  testing::internal::CaptureStderr();
  std::ofstream(folder / "text") << "abcde\nabcdef\na\n" + std::string(10000, 'a') + "\n";
  translation.source = translation.target = test::toy_vocabulary(test::letters);
  translation.path = folder / "text";
  test::ToyTranslator network(test::letters, letter_model());
  std::string out;
  {
    cluster::Log log(0);
    translate_lines(network, translation, test::letter_coding(), *solo, log,
                    [&](const std::string& lines) { out += lines; });
  }
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out, "bcdef\n\nb\n\n");
  EXPECT_THAT(err, HasSubstr("line 2 has 6 tokens"));
  EXPECT_THAT(err, HasSubstr("line 4 has 10000 tokens"));
  EXPECT_THAT(err, HasSubstr("4 lines translated"));
}

TEST_F(LineTranslator, BadLineEndsItAfterThoseBefore) {
  std::ofstream(folder / "text") << "a\nb\n\xFF\nc\n";
  LineTranslation translation;
  translation.source = translation.target = test::toy_vocabulary(test::letters);
  translation.path = folder / "text";
  test::ToyTranslator network(test::letters, letter_model());
  cluster::Log log(0, true);
  std::string out;
  EXPECT_THROW(translate_lines(network, translation, test::letter_coding(), *solo, log,
                               [&](const std::string& lines) { out += lines; }),
               DataError);
  EXPECT_EQ(out, "b\nc\n");
}

TEST_F(LineTranslator, LineNumbersAreTheSentencesIds) {
  LineTranslation translation;
  translation.how.sampling.emplace();
  translation.how.sampling->temperature = 10;
  const std::string apart = joined_text(translate("ab\nab\nab\n", translation));
  translation.window.lines = 1;
  EXPECT_EQ(joined_text(translate("ab\nab\nab\n", translation)), apart);
  const size_t first = apart.find('\n');
  EXPECT_NE(apart.substr(0, first), apart.substr(first + 1, first)) << "each line has draws of its own";
}

}  // namespace
}  // namespace smoothlab::launcher
