#include "launcher/stdin_relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "cluster/error.h"
#include "launcher/child_process.h"
#include "support/temporary_folder.h"

namespace smoothlab::launcher {
namespace {

/// Starts a shell command with a relay of a stdin that holds `text`; returns what it printed.
std::string printed_by(const std::string& command, const std::string& text, bool stays_open = false) {
  std::signal(SIGPIPE, SIG_IGN);  // as run_job does
  const test::TemporaryFolder folder;
  const int before = dup(STDIN_FILENO);
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  std::thread writer([&] {
    for (size_t done = 0; done < text.size();) {
      const ssize_t n = write(ends[1], text.data() + done, text.size() - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    if (!stays_open) close(ends[1]);
  });
  const int out = open((folder / "out").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  {
    StdinRelay relay;
    ChildSetup setup;
    setup.in = relay.for_child();
    setup.out = out;
    const pid_t child = start_child({"/bin/sh", "-c", command}, setup);
    relay.start();
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  close(out);
  dup2(before, STDIN_FILENO);  // the last reader of the test's pipe
  close(before);
  writer.join();
  if (stays_open) close(ends[1]);
  std::ostringstream all;
  all << std::ifstream(folder / "out").rdbuf();
  return all.str();
}

TEST(StdinRelay, HandsOnEverythingAndItsEnd) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(printed_by("cat", text), text);
  EXPECT_EQ(printed_by("cat", ""), "");
}

TEST(StdinRelay, DoesNotWaitForInputThatNobodyReads) {
  EXPECT_EQ(printed_by("head -n 1", "one\ntwo\n", true), "one\n");
  EXPECT_EQ(printed_by("true", std::string(1 << 20, 'x')), "");
}

// It was taken for the end, and the job for a success.
TEST(StdinRelay, WhatCannotBeReadIsAnError) {
  const int before = dup(STDIN_FILENO);
  const int folder = open("/tmp", O_RDONLY | O_CLOEXEC);
  dup2(folder, STDIN_FILENO);
  close(folder);
  {
    StdinRelay relay;
    ChildSetup setup;
    setup.in = relay.for_child();
    const pid_t child = start_child({"/bin/sh", "-c", "cat"}, setup);
    relay.start();
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_THROW(relay.finish(), DataError);
  }
  dup2(before, STDIN_FILENO);
  close(before);
}

TEST(StdinRelay, WithoutItThereIsNothingToRead) {
  const test::TemporaryFolder folder;
  const pid_t child = start_child({"/bin/sh", "-c", "cat > '" + (folder / "out") + "'"}, {});
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace smoothlab::launcher
