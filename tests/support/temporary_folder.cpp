#include "support/temporary_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace smoothlab::test {
namespace {

/// In memory where there is room: nothing a test writes has to outlast it, and a disk takes milliseconds for
/// each of the many syncs.
std::filesystem::path parent_folder() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code problem;
  const auto space = std::filesystem::space(memory, problem);
  const bool roomy = !problem && space.available >= (uintmax_t{4} << 30) && access(memory.c_str(), W_OK) == 0;
  return roomy && !std::getenv("TMPDIR") ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (parent_folder() / "smoothlab-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace smoothlab::test
