#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace smoothlab::eval {

/// Numbers for the words of one segment's references: equal words, equal numbers. Words are compared, not
/// only their hashes. Views must outlive the segment.
class WordNumbers {
 public:
  static constexpr uint32_t unknown = ~0U;

  /// Forgets all words; at most `words` will be added.
  void begin(size_t words);
  uint32_t add(std::string_view word);
  /// The number of a word that was added, otherwise `unknown`.
  uint32_t find(std::string_view word) const;

 private:
  struct Slot {
    uint64_t hash = 0;
    std::string_view word;
    uint32_t segment = 0, number = 0;
  };
  size_t slot_of(std::string_view word, uint64_t hash) const;

  std::vector<Slot> slots_ = std::vector<Slot>(64);
  uint32_t segment_ = 0, count_ = 0;
};

/// Counts of the n-grams of one segment's references, n = 1 … order, and how many of a hypothesis's are among
/// them. An n-gram is the number of its first n − 1 symbols and its last symbol: nothing is compared by hash
/// alone, and a hypothesis is followed only as far as it matches.
class NgramMatch {
 public:
  explicit NgramMatch(size_t order) : order_(order) {}

  /// Forgets all references; those to come have `symbols` at most, together.
  void begin(size_t symbols);
  /// Of several references an n-gram has the greatest of their counts.
  void add_reference(const std::vector<uint32_t>& symbols);
  /// Adds to matches[n − 1] Σ over n-grams of min(count here, count in the references). A symbol
  /// WordNumbers::unknown matches nothing.
  void match(const std::vector<uint32_t>& symbols, int32_t* matches);

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t segment = 0;
    uint32_t last_reference = 0, last_hypothesis = 0;  ///< whose counts those are
    int32_t in_reference = 0, in_hypothesis = 0;
    int32_t most = 0;  ///< in any reference
  };
  /// The slot that holds the n-gram, or a free one where it would stand.
  size_t slot_of(uint64_t key) const;

  size_t order_;
  std::vector<Slot> slots_ = std::vector<Slot>(64);
  uint32_t segment_ = 0, reading_ = 0;
  struct Position {
    uint64_t prefix;  ///< the slot of the n-gram that begins at `at`, as far as it is known
    size_t at;
  };
  std::vector<uint64_t> prefixes_;
  std::vector<Position> positions_;
};

}  // namespace smoothlab::eval
