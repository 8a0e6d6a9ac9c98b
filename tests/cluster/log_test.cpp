#include "cluster/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::cluster {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(Log, RankZeroSpeaksPlainlyWhereThereIsNoTerminal) {
  CaptureStderr();
  Log log(0);
  log.info("step {} of {}", 3, 10);
  log.warning("loss is {:.1f}", 2.5);
  EXPECT_EQ(GetCapturedStderr(), "step 3 of 10\nwarning: loss is 2.5\n");
}

TEST(Log, OtherRanksOnlyWarnAndSayWhoTheyAre) {
  const TemporaryFolder folder;
  CaptureStderr();
  {
    Log log(3);
    log.also_to(folder / "log.txt");
    log.info("dropped");
    log.progress("dropped");
    log.warning("slow");
  }
  EXPECT_EQ(GetCapturedStderr(), "warning: rank 3: slow\n");
  EXPECT_FALSE(local_file_system()->exists(folder / "log.txt"));
}

TEST(Log, QuietKeepsWarnings) {
  CaptureStderr();
  Log log(0, true);
  log.info("dropped");
  log.progress("dropped");
  log.warning("kept");
  EXPECT_EQ(GetCapturedStderr(), "warning: kept\n");
}

TEST(Log, FileLinesHaveTimesAndAreAppended) {
  const TemporaryFolder folder;
  CaptureStderr();
  for (const char* text : {"first", "second"}) {
    Log log(0, true);
    log.also_to(folder / "log.txt");
    log.info("{}", text);
    log.warning("careful");
  }
  GetCapturedStderr();
  const std::string time =
      "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2}";
  EXPECT_THAT(local_file_system()->read(folder / "log.txt"),
              testing::MatchesRegex(time + " first\n" + time + " warning: careful\n" + time + " second\n" +
                                    time + " warning: careful\n"));
}

TEST(Log, FileThatCannotBeOpenedIsAnError) {
  const TemporaryFolder folder;
  local_file_system()->create(folder / "file");
  Log log(0, true);
  EXPECT_THROW(log.also_to(folder / "file/log.txt"), EnvironmentError);
}

TEST(Log, FullDiskIsToldOnceAndTheRunGoesOn) {
  CaptureStderr();
  Log log(0);
  log.also_to("/dev/full");
  log.info("one");
  log.info("two");
  const std::string said = GetCapturedStderr();
  EXPECT_THAT(said, testing::StartsWith("one\nwarning: the log file is no longer written"));
  EXPECT_THAT(said, testing::EndsWith("\ntwo\n"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 3);
}

TEST(Log, ProgressElsewhereIsALineNowAndThen) {
  CaptureStderr();
  Log log(0);
  for (int i = 0; i < 100; ++i) log.progress(fmt::format("{} %", i));
  log.progress_done();
  log.progress("next");
  EXPECT_EQ(GetCapturedStderr(), "0 %\nnext\n");
}

/// Sends stderr to a pseudo-terminal of 20 columns while it lives.
class Terminal {
 public:
  Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY)), old_(dup(STDERR_FILENO)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    const int slave = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave < 0) return;
    struct winsize window {};
    window.ws_row = 5;
    window.ws_col = 20;
    usable_ = ioctl(slave, TIOCSWINSZ, &window) == 0;
    dup2(slave, STDERR_FILENO);
    close(slave);
  }
  ~Terminal() {
    restore();
    close(master_);
    close(old_);
  }
  bool usable() const { return usable_; }
  /// What was shown.
  std::string restore() {
    std::fflush(stderr);
    fcntl(master_, F_SETFL, O_NONBLOCK);
    std::string shown;
    char buffer[4096];
    for (ssize_t got; (got = read(master_, buffer, sizeof buffer)) > 0;) shown.append(buffer, got);
    dup2(old_, STDERR_FILENO);
    return shown;
  }

 private:
  int master_, old_;
  bool usable_ = false;
};

TEST(Log, ProgressOnATerminalIsRedrawnBelowOtherLines) {
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  Terminal terminal;
  if (!terminal.usable()) GTEST_SKIP() << "no pseudo-terminals here";
  {
    Log log(0);
    log.progress("step 1");
    log.progress("step 2 with a line that is too long");
    log.warning("hot");
    log.progress_done();
  }
  const std::string shown = terminal.restore();
  const std::string erase = "\r\033[K", cut = "step 2 with a line ";
  EXPECT_THAT(shown, testing::StartsWith(erase + "step 1" + erase + cut + erase));
  // A work that is done used to leave its last progress line behind.
  EXPECT_THAT(shown, testing::EndsWith("\033[33m\033[1mwarning: hot\033[m\r\n" + erase + cut + erase));
}

}  // namespace
}  // namespace smoothlab::cluster
