#include "launcher/line_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <utility>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::launcher {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// All lines that come before the end, and what went wrong after them.
struct Outcome {
  std::vector<std::string> lines;
  std::string error;
};

Outcome read_all(const std::string& path, const LineLimits& limits) {
  LineSource source(path);
  Outcome outcome;
  try {
    for (bool last = false; !last;) {
      const LineWindow window = source.next(limits);
      EXPECT_EQ(window.first, static_cast<int64_t>(outcome.lines.size()) + 1);
      outcome.lines.insert(outcome.lines.end(), window.lines.begin(), window.lines.end());
      last = window.last;
    }
  } catch (const DataError& error) {
    outcome.error = error.what();
  }
  return outcome;
}

Outcome lines_of(const std::string& text, const LineLimits& limits = {}) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "text", std::ios::binary) << text;
  return read_all(folder / "text", limits);
}

TEST(LineSource, LinesHaveEveryKindOfEnd) {
  EXPECT_THAT(lines_of("").lines, IsEmpty());
  EXPECT_THAT(lines_of("\n").lines, ElementsAre(""));
  EXPECT_THAT(lines_of("a\n\nb").lines, ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\r\n\r\nb\r\n").lines, ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "a\n\xEF\xBB\xBF"
                       "b\n")
                  .lines,
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
  EXPECT_THAT(lines_of("one\rstill one\n").lines, ElementsAre("one still one"));
}

TEST(LineSource, WindowsOfAnySizeGiveTheSameLines) {
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    expected.emplace_back(static_cast<size_t>(i * 7 % 90), static_cast<char>('a' + i % 26));
    text += expected.back() + "\n";
  }
  for (const size_t lines : {1U, 7U, 2000U, 100000U})
    for (const size_t bytes : {1U, 1000U, 1U << 22}) {
      LineLimits limits;
      limits.lines = lines;
      limits.bytes = bytes;
      EXPECT_EQ(lines_of(text, limits).lines, expected);
    }
}

TEST(LineSource, BadLinesAreNamedAfterTheGoodOnes) {
  Outcome outcome = lines_of("good\nbad \xC3(\nnever\n");
  EXPECT_THAT(outcome.lines, ElementsAre("good"));
  EXPECT_THAT(outcome.error, HasSubstr("byte 5 of the line (0xc3) is no UTF-8"));
  EXPECT_THAT(outcome.error, HasSubstr("text, line 2"));
  outcome = lines_of("good\nbetter\ncut \xE2\x82");
  EXPECT_THAT(outcome.lines, ElementsAre("good", "better"));
  EXPECT_THAT(outcome.error, HasSubstr("line 3"));
  outcome = lines_of(std::string("a\nb\0c\n", 6));
  EXPECT_THAT(outcome.lines, ElementsAre("a"));
  EXPECT_THAT(outcome.error, HasSubstr("a NUL at byte 2"));
  outcome = lines_of("a\n" + std::string((1 << 20) + 1, 'x') + "\nb\n");
  EXPECT_THAT(outcome.lines, ElementsAre("a"));
  EXPECT_THAT(outcome.error, HasSubstr("more than 1 MiB"));
  outcome = lines_of("a\n" + std::string(1 << 20, 'x') + "\nb\n");
  EXPECT_EQ(outcome.lines.size(), 3U) << outcome.error;
  EXPECT_THAT(lines_of(std::string(1 << 23, 'x')).error, HasSubstr("more than 1 MiB"));
}

TEST(LineSource, WhatIsNoFileIsAnError) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(LineSource(folder / "none"), DataError);
  EXPECT_THROW(LineSource(folder.path()), DataError);
}

/// stdin that a test writes, for as long as it lives.
class LineSourceOfStdin : public testing::Test {
 protected:
  LineSourceOfStdin() : before_(dup(STDIN_FILENO)) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    end_ = ends[1];
  }
  ~LineSourceOfStdin() override {
    stop();
    dup2(before_, STDIN_FILENO);
    close(before_);
  }
  void say(const std::string& text) const {
    EXPECT_EQ(write(end_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void stop() {
    if (end_ >= 0) close(end_);
    end_ = -1;
  }
  int before_, end_;
};

TEST_F(LineSourceOfStdin, LineThatIsThereIsGivenWithoutTheNext) {
  LineSource source("-");
  say("first\nsec");
  LineWindow window = source.next({});
  EXPECT_THAT(window.lines, ElementsAre("first"));
  EXPECT_FALSE(window.last);
  say("ond\nthird\n");
  window = source.next({});
  EXPECT_THAT(window.lines, ElementsAre("second", "third"));
  EXPECT_EQ(window.first, 2);
  std::thread later([this] {
    std::this_thread::sleep_for(milliseconds(50));
    say("fourth");
    stop();
  });
  LineLimits patient;
  patient.more = std::chrono::seconds(20);
  window = source.next(patient);
  later.join();
  EXPECT_THAT(window.lines, ElementsAre("fourth"));
  EXPECT_TRUE(window.last);
}

/// Says a text over and over, 4 ms apart, until it is destroyed.
class Trickle {
 public:
  Trickle(int end, std::string text)
      : thread_([this, end, text = std::move(text)] {
          while (!stop_ && write(end, text.data(), text.size()) > 0)
            std::this_thread::sleep_for(milliseconds(4));
        }) {}
  ~Trickle() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Each line was awaited anew, so that lines came on and none was given.
TEST_F(LineSourceOfStdin, LinesThatTrickleAreGivenAllTheSame) {
  LineSource source("-");
  const Trickle trickle(end_, "line\n");
  LineLimits limits;
  limits.more = std::chrono::seconds(10);
  for (int window = 0; window < 2; ++window) {
    const auto start = std::chrono::steady_clock::now();
    const auto lines = source.next(limits).lines;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    EXPECT_GE(lines.size(), 2U);
    EXPECT_LT(lines.size(), 500U);
  }
}

// Each byte was awaited anew, while other ranks waited for the window.
TEST_F(LineSourceOfStdin, BytesThatTrickleDoNotHoldTheWindow) {
  LineSource source("-");
  const Trickle trickle(end_, "x");
  LineLimits limits;
  limits.any = milliseconds(100);
  const auto start = std::chrono::steady_clock::now();
  const LineWindow window = source.next(limits);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_THAT(window.lines, IsEmpty());
  EXPECT_FALSE(window.last);
}

TEST_F(LineSourceOfStdin, WithoutPatienceWhatIsThereIsGiven) {
  LineSource source("-");
  say("one\ntwo\n");
  LineLimits limits;
  limits.any = milliseconds(0);
  EXPECT_THAT(source.next(limits).lines, ElementsAre("one", "two"));
  EXPECT_THAT(source.next(limits).lines, IsEmpty());
}

TEST_F(LineSourceOfStdin, NoLineInTimeIsAnEmptyWindow) {
  LineSource source("-");
  LineLimits limits;
  limits.any = milliseconds(10);
  say("half");
  LineWindow window = source.next(limits);
  EXPECT_THAT(window.lines, IsEmpty());
  EXPECT_FALSE(window.last);
  stop();
  window = source.next(limits);
  EXPECT_THAT(window.lines, ElementsAre("half"));
  EXPECT_TRUE(window.last);
}

}  // namespace
}  // namespace smoothlab::launcher
