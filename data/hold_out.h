#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace smoothlab::data {

/// Chooses pairs that training does not see, by source sentence: all translations of a sentence are in the
/// same split. The choice depends on the seed and on the sentences, not on their order.
class HoldOut {
 public:
  enum class Split : uint8_t { train, validation, test };

  HoldOut() = default;
  /// Every pair's source once; then choose().
  void add(const std::string& source);
  /// Holds out at most so many pairs, and as many as whole groups allow. Throws UsageError where
  /// nothing would be left to train on, or not even one group can be held out.
  void choose(int64_t validation, int64_t test, uint64_t seed);
  Split of(const std::string& source) const;

 private:
  std::vector<uint64_t> sources_;
  std::unordered_map<uint64_t, Split> held_out_;
};

}  // namespace smoothlab::data
