#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {

/// Waits up to a minute until something is so.
inline bool eventually(const std::function<bool()>& so) {
  for (int tries = 0; tries < 3000; ++tries) {
    if (so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

/// The program, running beside the test.
class BackgroundProgram {
 public:
  explicit BackgroundProgram(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program());
    std::vector<char*> words;
    for (auto& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const std::string out = folder_ / "out", err = folder_ / "err";
    pid_ = fork();
    if (pid_ != 0) return;
    setpgid(0, 0);
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), flags, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), flags, 0600), STDERR_FILENO);
    execv(words[0], words.data());
    _exit(126);
  }
  ~BackgroundProgram() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { kill(pid_, number); }

  ProcessResult wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    ProcessResult result;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = read_text(folder_ / "out");
    result.err = read_text(folder_ / "err");
    return result;
  }

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

/// Processes of the program that have `word` on their command line, without `but`.
inline std::set<pid_t> program_processes(const std::string& word, pid_t but) {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid <= 0 || pid == but) continue;
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path() / "exe", gone) != std::filesystem::canonical(program()))
      continue;
    if (read_text(entry.path() / "cmdline").find(word) != std::string::npos) found.insert(pid);
  }
  return found;
}

}  // namespace smoothlab::test
