#include "launcher/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
  std::vector<std::string> all = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string inherited = *entry;
    const std::string name = inherited.substr(0, inherited.find('=') + 1);
    if (std::none_of(additions.begin(), additions.end(),
                     [&](const auto& one) { return one.compare(0, name.size(), name) == 0; }))
      all.push_back(inherited);
  }
  return all;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

pid_t start_child(const std::vector<std::string>& command, const ChildSetup& setup) {
  // Between fork and exec nothing may be allocated.
  const auto environment = environment_with(setup.environment);
  const auto arguments = pointers_to(command), variables = pointers_to(environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0)
    throw EnvironmentError(std::string("cannot start a process: ") + std::strerror(errno), command[0],
                           "raise the limit on processes");
  if (child > 0) return child;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  if (setup.signals) sigprocmask(SIG_SETMASK, setup.signals, nullptr);
  const int in = setup.in >= 0 ? setup.in : open("/dev/null", O_RDONLY);
  if (in >= 0) dup2(in, STDIN_FILENO);
  if (setup.out >= 0) dup2(setup.out, STDOUT_FILENO);
  if (setup.err >= 0) dup2(setup.err, STDERR_FILENO);
  execve(arguments[0], arguments.data(), variables.data());
  _exit(127);
}

std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::string signal_name(int number) {
  const char* words = strsignal(number);
  std::string name = "signal " + std::to_string(number);
  if (words) name += " (" + std::string(words) + ")";
  if (number == SIGKILL) name += ", often for want of memory";
  return name;
}

}  // namespace smoothlab::launcher
