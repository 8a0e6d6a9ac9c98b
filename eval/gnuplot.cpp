#include "eval/gnuplot.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

/// A nameless file. Script and output go through files and not pipes, so that neither side can wait for the
/// other, whatever their sizes.
class ScratchFile {
 public:
  ScratchFile() : file_(std::tmpfile(), std::fclose) {
    if (!file_)
      throw EnvironmentError(std::string("no temporary file: ") + std::strerror(errno), "gnuplot",
                             "make room in the folder for temporary files");
  }
  int descriptor() const { return fileno(file_.get()); }
  void fill(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
      throw EnvironmentError(std::string("temporary file cannot be written: ") + std::strerror(errno),
                             "gnuplot", "make room in the folder for temporary files");
    std::rewind(file_.get());
  }
  std::string content() {
    std::rewind(file_.get());
    std::string text;
    std::array<char, 4096> block;
    while (const size_t count = std::fread(block.data(), 1, block.size(), file_.get()))
      text.append(block.data(), count);
    return text;
  }

 private:
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

}  // namespace

std::string gnuplot_quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string run_gnuplot(const std::string& script) {
  ScratchFile input, output, errors;
  input.fill(script);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  char name[] = "gnuplot", plain[] = "-d";  // -d: no settings of the user's own
  char* arguments[] = {name, plain, nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, name, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed == 0)
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (failed == ENOENT || (failed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127))
    throw EnvironmentError("gnuplot is not installed", "PATH",
                           "install the package gnuplot-nox (or gnuplot)");
  if (failed != 0)
    throw EnvironmentError(std::string("gnuplot cannot be started: ") + std::strerror(failed), "PATH",
                           "install the package gnuplot-nox (or gnuplot)");
  std::string drawn = output.content();
  if (status != 0 || drawn.empty())
    throw RunError("gnuplot failed: " + errors.content(), "figure",
                   "check that gnuplot has its svg, pngcairo and pdfcairo terminals");
  return drawn;
}

void require_gnuplot() {
  run_gnuplot(
      "set terminal svg\nset terminal pngcairo\nset terminal pdfcairo\nset print '-'\nprint 'ready'\n");
}

}  // namespace smoothlab::eval
