#include "cluster/stop_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

namespace smoothlab::cluster {
namespace {

/// What waitpid says of a child that runs `body` and exits with what it returns.
int status_of_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

int request_after(int number) {
  return status_of_child([number] {
    std::signal(number, SIG_DFL);
    const StopSignal stop;
    if (stop.requested() != StopRequest::none) return 100;
    kill(getpid(), number);
    return static_cast<int>(stop.requested());
  });
}

TEST(StopSignal, SignalsAskForWhatTheyMean) {
  EXPECT_EQ(WEXITSTATUS(request_after(SIGINT)), static_cast<int>(StopRequest::finish));
  EXPECT_EQ(WEXITSTATUS(request_after(SIGTERM)), static_cast<int>(StopRequest::requeue));
  EXPECT_EQ(WEXITSTATUS(request_after(SIGHUP)), static_cast<int>(StopRequest::requeue))
      << "a closed terminal";
  EXPECT_EQ(WEXITSTATUS(request_after(SIGUSR2)), static_cast<int>(StopRequest::requeue));
}

TEST(StopSignal, AnIgnoredHangUpStaysIgnored) {
  const int status = status_of_child([] {
    std::signal(SIGHUP, SIG_IGN);  // as nohup leaves it
    const StopSignal stop;
    raise(SIGHUP);
    return static_cast<int>(stop.requested());
  });
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(StopRequest::none));
}

// What a rank gets when the batch script, srun and mpirun all pass on what the scheduler wants: it used to
// die of the second one, and the checkpoint was lost.
TEST(StopSignal, ARequestDeliveredSeveralTimesStands) {
  const int status = status_of_child([] {
    const StopSignal stop;
    for (const int number : {SIGUSR2, SIGTERM, SIGUSR2, SIGTERM, SIGINT}) raise(number);
    return static_cast<int>(stop.requested());
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(StopRequest::requeue));
}

TEST(StopSignal, AnInterruptDeliveredTwiceIsOne) {
  const int status = status_of_child([] {
    const StopSignal stop;
    raise(SIGINT);
    raise(SIGINT);
    raise(SIGTERM);
    return static_cast<int>(stop.requested());
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(StopRequest::finish));
}

TEST(StopSignal, ASecondInterruptEndsTheProcessAtOnce) {
  const int status = status_of_child([] {
    const StopSignal stop;
    raise(SIGINT);
    std::this_thread::sleep_for(duplicate_interval + std::chrono::milliseconds(50));
    raise(SIGINT);
    return 100;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(StopSignal, ASignalInterruptsNoSystemCall) {
  const int status = status_of_child([] {
    const StopSignal stop;
    int ends[2];
    if (pipe(ends) != 0) return 101;
    const pid_t writer = fork();
    if (writer == 0) {
      usleep(50000);
      kill(getppid(), SIGTERM);
      usleep(50000);
      _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    char byte = 0;
    const bool read_whole = read(ends[0], &byte, 1) == 1 && byte == 'x';
    return read_whole && stop.requested() == StopRequest::requeue ? 0 : 102;
  });
  EXPECT_EQ(status, 0);
}

TEST(StopSignal, PutsBackTheHandlersThatItFound) {
  const int status = status_of_child([] {
    struct sigaction own {
    }, found{};
    own.sa_handler = [](int) {};
    sigaction(SIGTERM, &own, nullptr);
    { const StopSignal stop; }
    raise(SIGUSR2);  // a launcher's request that comes after the work was done
    sigaction(SIGTERM, nullptr, &found);
    return found.sa_handler == own.sa_handler ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

// mpirun and the launcher may tell a rank of a request once more when it has already answered.
TEST(StopSignal, ARequestToldAgainOnTheWayOutKillsNobody) {
  const int status = status_of_child([] {
    std::signal(SIGUSR2, SIG_DFL);
    {
      const StopSignal stop;
      raise(SIGINT);
    }
    raise(SIGUSR2);
    const StopSignal again;
    return again.requested() == StopRequest::none ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace smoothlab::cluster
