#pragma once

namespace smoothlab::launcher {

/// Runs the verb that the arguments name. The one place where errors become a line and an exit code.
int run_command_line(int argc, char** argv);

}  // namespace smoothlab::launcher
