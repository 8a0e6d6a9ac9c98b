#include "support/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

std::string quoted(const std::string& argument) {
  std::string result = "'";
  for (const char c : argument) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string required_variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value) throw std::runtime_error(std::string(name) + " is not set; run this test through ctest");
  return value;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) {
  const TemporaryFolder folder;
  std::string command = "env";
  for (const auto& entry : environment) command += " " + quoted(entry);
  for (const auto& argument : arguments) command += " " + quoted(argument);
  command += " </dev/null >" + quoted(folder / "out") + " 2>" + quoted(folder / "err");
  const int status = std::system(command.c_str());
  ProcessResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = contents(folder / "out");
  result.err = contents(folder / "err");
  return result;
}

std::string program() {
  return required_variable("SMOOTHLAB_PROGRAM");
}

std::string source_path(const std::string& relative) {
  return required_variable("SMOOTHLAB_SOURCE") + "/" + relative;
}

}  // namespace smoothlab::test
