#pragma once

#include <cstdint>
#include <string>

#include "data/mapped_file.h"
#include "data/pair_file_layout.h"
#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// Sentence pairs of a file that PairFileWriter wrote. Tokens are read where they lie.
class PairFile : public SentencePairs {
 public:
  /// Reads the whole file once: throws DataError with path and offset for one that is missing, cut, damaged,
  /// of another kind, version or byte order, or that holds tokens outside its vocabularies.
  explicit PairFile(const std::string& path);

  int64_t size() const override { return pairs_; }
  /// pair in 0 … size−1.
  Tokens source(int64_t pair) const override { return side(2 * pair); }
  Tokens target(int64_t pair) const override { return side(2 * pair + 1); }
  const Vocabulary& source_vocabulary() const override { return source_vocabulary_; }
  const Vocabulary& target_vocabulary() const override { return target_vocabulary_; }
  std::string fingerprint() const override { return fingerprint_; }
  const std::string& path() const { return path_; }

 private:
  Tokens side(int64_t n) const { return {tokens_ + offsets_[n], offsets_[n + 1] - offsets_[n]}; }
  void read_header();
  void read_footer();
  void check_offsets(const PairFileFooter& footer) const;
  void check_tokens(const PairFileFooter& footer) const;
  [[noreturn]] void fail(const std::string& what, int64_t offset) const;

  std::string path_, fingerprint_;
  MappedFile file_;
  Vocabulary source_vocabulary_, target_vocabulary_;
  int64_t pairs_ = 0;
  const int32_t* tokens_ = nullptr;
  const int64_t* offsets_ = nullptr;
};

}  // namespace smoothlab::data
