#include "data/hold_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::data {
namespace {

/// FNV-1a.
uint64_t key_of(const std::string& text) {
  uint64_t key = 0xcbf29ce484222325;
  for (const char byte : text) key = (key ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return key;
}

struct Group {
  uint64_t rank, key;
  int64_t pairs;
};

}  // namespace

void HoldOut::add(const std::string& source) {
  sources_.push_back(key_of(source));
}

void HoldOut::choose(int64_t validation, int64_t test, uint64_t seed) {
  const auto all = static_cast<int64_t>(sources_.size());
  std::sort(sources_.begin(), sources_.end());
  std::vector<Group> groups;
  for (const uint64_t key : sources_) {
    if (groups.empty() || groups.back().key != key) {
      const auto words = AddressedRandom(seed, Purpose::split, key >> 32, key & 0xffffffff).block(0);
      groups.push_back({uint64_t{words[0]} << 32 | words[1], key, 0});
    }
    ++groups.back().pairs;
  }
  sources_ = {};
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return std::tie(a.rank, a.key) < std::tie(b.rank, b.key); });
  // The first groups are the test's, so that it stays the same whatever is held out for validation.
  int64_t held = 0;
  for (const auto& [wanted, split] :
       {std::pair(test, Split::test), std::pair(validation, Split::validation)}) {
    int64_t taken = 0;
    for (const Group& group : groups) {
      if (taken == wanted) break;
      if (taken + group.pairs > wanted || held_out_.count(group.key)) continue;
      held_out_[group.key] = split;
      taken += group.pairs;
    }
    if (taken == 0 && wanted > 0)
      throw UsageError(fmt::format("no source sentence has as few as {} translations", wanted), "hold-out",
                       "hold out more");
    held += taken;
  }
  if (held >= all && all > 0)
    throw UsageError(fmt::format("cannot hold out {} of {} pairs", validation + test, all), "hold-out",
                     "hold out fewer");
}

HoldOut::Split HoldOut::of(const std::string& source) const {
  if (held_out_.empty()) return Split::train;
  const auto found = held_out_.find(key_of(source));
  return found == held_out_.end() ? Split::train : found->second;
}

}  // namespace smoothlab::data
