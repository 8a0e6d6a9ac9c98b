#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// What lies among images and is none: why it was left out, how many, and the first of them by name.
struct SkippedMembers {
  std::string reason;
  int64_t count = 0;
  std::vector<std::string> first;  ///< at most ten
};

void add_skipped(std::vector<SkippedMembers>& all, const std::string& reason, const std::string& name);
void add_skipped(std::vector<SkippedMembers>& all, const std::vector<SkippedMembers>& more);

}  // namespace smoothlab::data
