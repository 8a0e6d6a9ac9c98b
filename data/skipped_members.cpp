#include "data/skipped_members.h"

#include <algorithm>

namespace smoothlab::data {
namespace {

constexpr size_t most_named = 10;

SkippedMembers& of_reason(std::vector<SkippedMembers>& all, const std::string& reason) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const SkippedMembers& skipped) { return skipped.reason == reason; });
  if (found != all.end()) return *found;
  all.push_back({reason, 0, {}});
  return all.back();
}

}  // namespace

void add_skipped(std::vector<SkippedMembers>& all, const std::string& reason, const std::string& name) {
  add_skipped(all, {{reason, 1, {name}}});
}

void add_skipped(std::vector<SkippedMembers>& all, const std::vector<SkippedMembers>& more) {
  for (const SkippedMembers& each : more) {
    SkippedMembers& kept = of_reason(all, each.reason);
    kept.count += each.count;
    for (const std::string& name : each.first)
      if (kept.first.size() < most_named) kept.first.push_back(name);
  }
}

}  // namespace smoothlab::data
