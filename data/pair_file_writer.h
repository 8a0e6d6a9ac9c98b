#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/digested_file.h"
#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// Writes a file that PairFile reads, a pair at a time; only offsets are kept in memory (16 bytes a pair).
class PairFileWriter {
 public:
  /// Throws EnvironmentError as FileSystem does.
  PairFileWriter(cluster::FileSystem& files, const std::string& folder, const std::string& name,
                 const Vocabulary& source, const Vocabulary& target);
  /// Ids are within the vocabularies.
  void add(const std::vector<int32_t>& source, const std::vector<int32_t>& target);
  ListedFile finish();
  /// What PairFile::fingerprint will say; once it is finished.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  void add_side(const std::vector<int32_t>& tokens);

  DigestedFile file_;
  Digest digest_;
  std::string fingerprint_;
  std::vector<int64_t> offsets_ = {0};
  int64_t source_tokens_ = 0;
  uint32_t token_checksum_ = 0;
};

}  // namespace smoothlab::data
