#include "launcher/rank_launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "cluster/device.h"
#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

/// The signals that ask a job to stop, blocked for as long as this lives, so that they can be waited for.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&waited_);
    for (const int number : {SIGINT, SIGTERM, SIGUSR2, SIGCHLD}) sigaddset(&waited_, number);
    sigprocmask(SIG_BLOCK, &waited_, &before_);
  }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  const sigset_t* waited() const { return &waited_; }
  const sigset_t* before() const { return &before_; }

 private:
  sigset_t waited_, before_;
};

[[noreturn]] void become(const std::vector<std::string>& command, const sigset_t* signals, pid_t parent) {
  // A group of its own: the terminal's Ctrl-C comes to us alone, and we pass it on as a request.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  sigprocmask(SIG_SETMASK, signals, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (geteuid() == 0) {
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

std::vector<std::string> rank_command(int ranks, const std::vector<std::string>& arguments) {
  std::vector<std::string> command;
  const std::string srun = std::getenv("SLURM_JOB_ID") ? find_program("srun") : "";
  if (!srun.empty()) {
    command = {srun, "--mpi=pmix", "--ntasks", std::to_string(ranks), "--kill-on-bad-exit=1"};
  } else {
    const std::string mpirun = find_program("mpirun");
    if (mpirun.empty())
      throw EnvironmentError("mpirun is not on the PATH", "--ranks " + std::to_string(ranks),
                             "install openmpi-bin, or run one rank without --ranks");
    // Ranks bring helper threads (loading, writing); binding would pin those to the rank's one core.
    command = {mpirun, "--quiet", "--bind-to", "none", "-n", std::to_string(ranks)};
    if (ranks > cluster::available_cores()) command.push_back("--oversubscribe");
  }
  command.push_back(own_path());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

int launch_ranks(int ranks, const std::vector<std::string>& arguments) {
  const std::vector<std::string> command = rank_command(ranks, arguments);
  const BlockedSignals signals;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0)
    throw EnvironmentError(std::string("cannot start a process: ") + std::strerror(errno), command[0],
                           "raise the limit on processes");
  if (child == 0) become(command, signals.before(), parent);

  int asked = 0;
  bool finish = false;
  for (;;) {
    siginfo_t info;
    const int number = sigwaitinfo(signals.waited(), &info);
    if (number == SIGCHLD) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) != child) continue;
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      if (code == 127)
        throw EnvironmentError("cannot start " + command[0], "--ranks", "check the MPI installation");
      return finish && code == static_cast<int>(ExitCode::requeue) ? 0 : code;
    }
    if (number < 0) continue;
    if (++asked > 1) {
      kill(child, SIGTERM);
      continue;
    }
    finish = number == SIGINT;
    kill(child, SIGUSR2);
  }
}

}  // namespace smoothlab::launcher
