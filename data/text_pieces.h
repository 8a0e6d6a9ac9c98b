#pragma once

#include <string>
#include <vector>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// A vocabulary that knows its text: text to ids and back. Thread-safe.
class TextPieces {
 public:
  virtual ~TextPieces() = default;
  virtual const Vocabulary& vocabulary() const = 0;
  /// What errors call it: the path of its file, or whose words they are.
  virtual const std::string& path() const = 0;
  /// Ids in 0 … size−1, without begin and end. None for a text of nothing but blanks.
  virtual std::vector<int32_t> encode(const std::string& text) const = 0;
  /// Plain text of ids; padding, begin and end leave nothing behind, and what becomes of unknown is the
  /// vocabulary's affair. Throws DataError for an id that the vocabulary does not have.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;
  /// What each token is called, "▁house": as many as the vocabulary has.
  virtual std::vector<std::string> pieces() const = 0;
};

}  // namespace smoothlab::data
