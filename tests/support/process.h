#pragma once

#include <string>
#include <vector>

namespace smoothlab::test {

struct ProcessResult {
  int exit_code = 0;  ///< 128 + signal where a signal ended it
  std::string out, err;
};

/// Runs a command to its end and keeps what it printed. Environment entries "NAME=value" are added.
ProcessResult run_process(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment = {});

/// The smoothlab executable under test, and the source tree.
std::string program();
std::string source_path(const std::string& relative);

}  // namespace smoothlab::test
