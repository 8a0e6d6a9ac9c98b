#include "eval/ngram_match.h"

#include <algorithm>
#include <cstring>

namespace smoothlab::eval {
namespace {

constexpr uint64_t odd = 0x9E3779B97F4A7C15U;
constexpr uint64_t no_prefix = 0xFFFFFFFFU;

uint64_t mixed(uint64_t x) {
  x *= odd;
  return x ^ (x >> 32);
}

uint64_t hash_of(std::string_view word) {
  uint64_t hash = word.size();
  while (word.size() >= 8) {
    uint64_t block = 0;
    std::memcpy(&block, word.data(), 8);
    hash = mixed(hash ^ block);
    word.remove_prefix(8);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, word.data(), word.size());
  return mixed(mixed(hash ^ rest));
}

/// Half full at most; what stands in it is of an earlier segment.
template <typename Slots>
void make_room(Slots& slots, size_t entries) {
  size_t size = slots.size();
  while (size < 2 * entries + 2) size *= 2;
  if (size > slots.size()) slots.assign(size, {});
}

/// A new number that no slot holds: where numbers run out all slots are emptied.
template <typename Slots>
void next_segment(Slots& slots, uint32_t& segment) {
  if (++segment == 0) {
    std::fill(slots.begin(), slots.end(), typename Slots::value_type{});
    segment = 1;
  }
}

}  // namespace

void WordNumbers::begin(size_t words) {
  make_room(slots_, words);
  next_segment(slots_, segment_);
  count_ = 0;
}

size_t WordNumbers::slot_of(std::string_view word, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t i = hash & mask;
  while (slots_[i].segment == segment_ && (slots_[i].hash != hash || slots_[i].word != word))
    i = (i + 1) & mask;
  return i;
}

uint32_t WordNumbers::add(std::string_view word) {
  const uint64_t hash = hash_of(word);
  Slot& slot = slots_[slot_of(word, hash)];
  if (slot.segment != segment_) slot = {hash, word, segment_, count_++};
  return slot.number;
}

uint32_t WordNumbers::find(std::string_view word) const {
  const Slot& slot = slots_[slot_of(word, hash_of(word))];
  return slot.segment == segment_ ? slot.number : unknown;
}

void NgramMatch::begin(size_t symbols) {
  make_room(slots_, order_ * symbols);
  next_segment(slots_, segment_);
  reading_ = 0;
}

size_t NgramMatch::slot_of(uint64_t key) const {
  const size_t mask = slots_.size() - 1;
  size_t i = mixed(mixed(key)) & mask;
  while (slots_[i].segment == segment_ && slots_[i].key != key) i = (i + 1) & mask;
  return i;
}

void NgramMatch::add_reference(const std::vector<uint32_t>& symbols) {
  ++reading_;
  // Order by order: what is looked up for one position does not wait for another.
  prefixes_.assign(symbols.size(), no_prefix);
  for (size_t n = 0; n < order_; ++n)
    for (size_t i = 0; i + n < symbols.size(); ++i) {
      const uint64_t key = prefixes_[i] << 32 | symbols[i + n];
      const size_t at = slot_of(key);
      Slot& slot = slots_[at];
      if (slot.segment != segment_) {
        slot = {};
        slot.key = key;
        slot.segment = segment_;
      }
      if (slot.last_reference != reading_) {
        slot.last_reference = reading_;
        slot.in_reference = 0;
      }
      slot.most = std::max(slot.most, ++slot.in_reference);
      prefixes_[i] = at;
    }
}

void NgramMatch::match(const std::vector<uint32_t>& symbols, int32_t* matches) {
  ++reading_;
  positions_.clear();
  for (size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] != WordNumbers::unknown) positions_.push_back({no_prefix, i});
  for (size_t n = 0; n < order_ && !positions_.empty(); ++n) {
    size_t left = 0;  // positions whose n-gram of this order is there too
    for (const auto [prefix, i] : positions_) {
      if (i + n >= symbols.size() || symbols[i + n] == WordNumbers::unknown) continue;
      const size_t at = slot_of(prefix << 32 | symbols[i + n]);
      Slot& slot = slots_[at];
      if (slot.segment != segment_) continue;
      if (slot.last_hypothesis != reading_) {
        slot.last_hypothesis = reading_;
        slot.in_hypothesis = 0;
      }
      if (++slot.in_hypothesis <= slot.most) ++matches[n];
      positions_[left++] = {at, i};
    }
    positions_.resize(left);
  }
}

}  // namespace smoothlab::eval
