#include "launcher/command_line.h"

namespace smoothlab::launcher {

int run_command_line(int, char**) { return 2; }

}  // namespace smoothlab::launcher
