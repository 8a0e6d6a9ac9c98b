#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "launcher/line_translator_fixture.h"
#include "support/ranks.h"

namespace smoothlab::launcher {
namespace {

using test::ranks;

/// The path of a file that rank 0 has written.
class LineTranslatorMpi : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    if (ranks().is_root()) {
      folder_ = std::make_unique<test::TemporaryFolder>();
      std::ofstream(*folder_ / "text", std::ios::binary) << text;
    }
    return ranks().broadcast_text(folder_ ? *folder_ / "text" : "", 0);
  }
  std::unique_ptr<test::TemporaryFolder> folder_;
};

TEST_F(LineTranslatorMpi, PrintsTheSameOnAnyRanksAndOnlyOnce) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::string(static_cast<size_t>(i * 5 % 13), 'a' + i % 25) + "\n";
  const auto path = write(text);
  LineTranslation translation;
  translation.window.lines = 40;
  translation.how.beam.n = 3;
  translation.format.several = translation.format.scores = true;
  const auto model = test::hashed_model(5, test::letters, 2, 2);
  const std::string together = test::joined_text(test::translated(path, ranks(), translation, model));
  if (ranks().is_root()) {
    const auto solo = cluster::make_solo_communicator();
    EXPECT_EQ(together, test::joined_text(test::translated(path, *solo, translation, model)));
    EXPECT_GT(together.size(), 300U * 20U);
  } else {
    EXPECT_EQ(together, "");
  }
}

TEST_F(LineTranslatorMpi, WhatRank0CannotReadFailsOnAll) {
  EXPECT_THROW(test::translated(write("ab\n\xFF\n"), ranks(), {}, test::letter_model()), DataError);
  EXPECT_THROW(test::translated("/nowhere/text", ranks(), {}, test::letter_model()), DataError);
}

}  // namespace
}  // namespace smoothlab::launcher
