#include "launcher/command_line.h"

int main(int argc, char** argv) {
  return smoothlab::launcher::run_command_line(argc, argv);
}
