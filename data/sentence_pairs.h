#pragma once

#include <cstdint>
#include <string>

namespace smoothlab::data {

/// The ids of a vocabulary that are no pieces of text. −1: the vocabulary has none.
struct SpecialTokens {
  int32_t padding = 0, unknown = 1, begin = 2, end = 3;
};

/// A vocabulary as far as networks and batches need it.
struct Vocabulary {
  int64_t size = 0;
  SpecialTokens special;
  std::string digest;  ///< hex SHA-256 of what it was loaded from
};

/// Those of a translation's two sides.
struct TextVocabularies {
  Vocabulary source, target;
  /// Whether the sides share one, so that their embeddings can be shared too.
  bool joint() const { return source.digest == target.digest; }
};

/// Token ids of one side of a pair, without begin and end; alive as long as the pairs are.
struct Tokens {
  const int32_t* first = nullptr;
  int64_t count = 0;
  const int32_t* begin() const { return first; }
  const int32_t* end() const { return first + count; }
};

/// Sentences and their translations as token ids. Thread-safe.
class SentencePairs {
 public:
  virtual ~SentencePairs() = default;
  virtual int64_t size() const = 0;
  virtual Tokens source(int64_t pair) const = 0;
  virtual Tokens target(int64_t pair) const = 0;
  /// The two are the same vocabulary where their digests are.
  virtual const Vocabulary& source_vocabulary() const = 0;
  virtual const Vocabulary& target_vocabulary() const = 0;
  /// Hex SHA-256 of all tokens of both sides and of the vocabularies' digests.
  virtual std::string fingerprint() const = 0;
};

}  // namespace smoothlab::data
