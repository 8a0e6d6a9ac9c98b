#include "launcher/rank_launcher.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

#include "cluster/error.h"
#include "cluster/stop_signal.h"
#include "launcher/child_process.h"
#include "launcher/lost_reader.h"
#include "launcher/stderr_relay.h"
#include "launcher/stdin_relay.h"

namespace smoothlab::launcher {
namespace {

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = folder + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

/// The signals that ask a job to stop, blocked from here on, so that they can be waited for; also on the way
/// out, where one more delivery would change the exit code.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&waited_);
    for (const int number : {SIGINT, SIGTERM, SIGUSR2, SIGCHLD}) sigaddset(&waited_, number);
    // A closed terminal asks too, unless nohup had it ignored.
    struct sigaction hangup {};
    if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&waited_, SIGHUP);
    sigprocmask(SIG_BLOCK, &waited_, &before_);
  }
  const sigset_t* before() const { return &before_; }
  /// The next of them, or 0 once `patience` is over.
  int wait(std::chrono::milliseconds patience) const {
    const timespec limit = {patience.count() / 1000, patience.count() % 1000 * 1000000};
    return std::max(0, sigtimedwait(&waited_, nullptr, &limit));
  }

 private:
  sigset_t waited_, before_;
};

/// When to tell the ranks of a request again: mpirun passes on nothing to ranks that it has yet to start.
/// Soon at first, then ever more rarely.
class Reminders {
 public:
  void start() { next_ = Clock::now() + pause_; }
  std::chrono::milliseconds until_next() const {
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::duration_cast<std::chrono::milliseconds>(next_ - Clock::now()) +
                        std::chrono::milliseconds(1));
  }
  bool due() {
    if (Clock::now() < next_) return false;
    pause_ *= 2;
    start();
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::milliseconds pause_{500};
  Clock::time_point next_;
};

/// Whether a signal ended a process, or what it had started, as waitpid says.
bool died_of(int status, int number) {
  return WIFSIGNALED(status) ? WTERMSIG(status) == number
                             : WIFEXITED(status) && WEXITSTATUS(status) == 128 + number;
}

/// Watches stdout of a filter, which the ranks write to by way of mpirun or srun: those do not tell them.
class Reader {
 public:
  explicit Reader(const Job& job) : watched_(job.is_filter) {}
  std::chrono::milliseconds until_next_look() const {
    return watched_ ? std::chrono::milliseconds(200) : std::chrono::hours(1);
  }
  /// True once.
  bool leaves() {
    if (!watched_ || lost_ || !nobody_reads_stdout()) return false;
    return lost_ = true;
  }
  /// Whether what ended the job, which has told no error, is that its output had nowhere to go.
  bool ended_it(int status) {
    if (watched_ && status != 0) lost_ |= died_of(status, SIGPIPE) || nobody_reads_stdout();
    return lost_;
  }

 private:
  bool watched_, lost_ = false;
};

int stopped_before_begun(bool for_good) {
  std::cerr << "stopped before the ranks had begun; start again with the same command\n";
  return static_cast<int>(for_good ? ExitCode::done : ExitCode::requeue);
}

/// What ranks get beside our environment, where it does not say otherwise.
std::vector<std::string> rank_environment() {
  std::vector<std::string> entries;
  const auto add = [&](const char* name, const char* value) {
    if (!std::getenv(name)) entries.push_back(std::string(name) + "=" + value);
  };
  if (geteuid() == 0) {
    add("OMPI_ALLOW_RUN_AS_ROOT", "1");
    add("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
  }
  // Open MPI's hwloc complains on every rank of a machine without /sys, and stderr is for errors that matter.
  add("HWLOC_HIDE_ERRORS", "2");
  // Open MPI 4.1's --quiet, which 5 no longer knows, and what is left of it there.
  add("OMPI_MCA_orte_execute_quiet", "1");
  add("PRTE_MCA_prte_execute_quiet", "1");
  return entries;
}

}  // namespace

std::vector<std::string> rank_command(const Job& job) {
  std::vector<std::string> command;
  const std::string ranks = std::to_string(job.ranks);
  const std::string srun = std::getenv("SLURM_JOB_ID") ? find_program("srun") : "";
  if (!srun.empty()) {
    // Ranks that stop for a requeue end one after the other with 75, which must not kill the slower ones; a
    // rank that died leaves its peers waiting in a collective. So the first end starts a clock for all.
    command = {srun, "--quiet", "--mpi=pmix", "--ntasks=" + ranks, "--kill-on-bad-exit=0", "--wait=20"};
    // Our Ctrl-C goes to the ranks as a request; the interrupt that we pass on means now.
    command.emplace_back("--quit-on-interrupt");
    if (job.reads_stdin) command.emplace_back("--input=0");
    const char* cores = std::getenv("SLURM_CPUS_PER_TASK");  // no longer inherited since Slurm 22.05
    if (cores && *cores) command.push_back(std::string("--cpus-per-task=") + cores);
  } else {
    const std::string mpirun = find_program("mpirun");
    if (mpirun.empty())
      throw EnvironmentError("mpirun is not on the PATH", "--ranks " + ranks,
                             "install openmpi-bin, or run one rank without --ranks");
    // Ranks bring helper threads (loading, writing); binding would pin those to the rank's one core. What
    // mpirun takes for slots are physical cores, fewer than this process may use.
    command = {mpirun, "--bind-to", "none", "--oversubscribe", "-n", ranks};
  }
  command.push_back(own_path());
  command.insert(command.end(), job.arguments.begin(), job.arguments.end());
  return command;
}

int exit_code_of_job(int status, const std::string& starter, const Job& job, const std::string& unexplained) {
  const std::string name = std::filesystem::path(starter).filename().string();
  if (WIFSIGNALED(status))
    throw RunError(name + " was ended by " + signal_name(WTERMSIG(status)),
                   std::to_string(job.ranks) + " ranks", job.after_death);
  const int code = WEXITSTATUS(status);
  switch (code) {
    case static_cast<int>(ExitCode::done):
    case static_cast<int>(ExitCode::requeue):
      return code;
    case static_cast<int>(ExitCode::failure):
    case static_cast<int>(ExitCode::usage):
    case static_cast<int>(ExitCode::data):
    case static_cast<int>(ExitCode::environment):
      if (unexplained.empty()) return code;
      break;
    case 127:
      throw EnvironmentError("cannot start " + starter, "--ranks", "check the MPI installation");
    default:
      break;
  }
  if (code > 128 && code - 128 <= SIGRTMAX)
    throw RunError("a rank was ended by " + signal_name(code - 128),
                   std::to_string(job.ranks) + " ranks started by " + name, job.after_death);
  throw RunError(name + " ended with exit code " + std::to_string(code) +
                     (unexplained.empty() ? "" : " and says: " + unexplained),
                 std::to_string(job.ranks) + " ranks", job.after_death);
}

int launch_ranks(const Job& job) {
  const std::vector<std::string> command = rank_command(job);
  const BlockedSignals signals;
  if (job.stop && job.stop->requested() != cluster::StopRequest::none)
    return stopped_before_begun(job.stop->requested() == cluster::StopRequest::finish);
  StderrRelay relay;
  std::optional<StdinRelay> input;
  if (job.reads_stdin) input.emplace();
  ChildSetup setup;
  setup.signals = signals.before();
  if (input) setup.in = input->for_child();
  setup.err = relay.for_child();
  setup.environment = rank_environment();
  const pid_t child = start_child(command, setup);
  relay.start();
  if (input) input->start();

  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> interrupted;
  int asked = 0;     // the signal that asked first
  int ended_by = 0;  // the signal that may not wait
  Reminders reminders;
  Reader reader(job);
  for (;;) {
    const int number = signals.wait(asked ? std::min(reminders.until_next(), reader.until_next_look())
                                          : reader.until_next_look());
    if (reader.leaves()) kill(child, SIGTERM);
    if (number == SIGCHLD) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) != child) continue;
      const StarterWords& words = relay.finish();
      if (ended_by)
        throw RunError((job.stop ? "ended at once by a second " : "ended by ") + signal_name(ended_by),
                       command[0], job.after_death);
      // A rank that hears of the request before it can listen dies of it.
      if (asked && died_of(status, SIGUSR2)) return stopped_before_begun(asked == SIGINT);
      if (!words.error_told() && reader.ended_it(status)) return broken_pipe_code;
      const int code = exit_code_of_job(status, command[0], job, words.error_told() ? "" : words.of_mpi());
      if (code == 0 && input) input->finish();
      return asked == SIGINT && code == static_cast<int>(ExitCode::requeue) ? 0 : code;
    }
    if (number > 0 && !job.stop) {
      ended_by = number;
      kill(child, number == SIGINT ? SIGINT : SIGTERM);
      continue;
    }
    if (number > 0 && !asked) {
      asked = number;
      reminders.start();
      kill(child, SIGUSR2);
    }
    if (asked && reminders.due()) kill(child, SIGUSR2);
    if (number != SIGINT) continue;
    if (!interrupted) {
      interrupted = Clock::now();
    } else if (Clock::now() - *interrupted >= cluster::duplicate_interval) {
      ended_by = SIGINT;
      kill(child, SIGINT);
    }
  }
}

}  // namespace smoothlab::launcher
