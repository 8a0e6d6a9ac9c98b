#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// One side of a prepared corpus.
struct CorpusSide {
  std::string language;  ///< "de", or as it was called when the corpus was prepared
  std::string model;     ///< path of its vocabulary, for WordPieces
  Vocabulary vocabulary;
};

/// A folder that `smoothlab data prepare text` made.
struct PreparedCorpus {
  std::string folder;
  CorpusSide source, target;
  std::shared_ptr<const SentencePairs> train, validation, test;  ///< null where there is none
  /// Whether the sides share one vocabulary, whatever its files are called.
  bool joint() const { return source.vocabulary.digest == target.vocabulary.digest; }
  /// Paths of the plain text of a split's pairs, one a line and in their order, for references.
  /// split: "validation" or "test".
  std::string source_text(const std::string& split) const;
  std::string target_text(const std::string& split) const;
};

/// Opens a corpus: reads every token once, and needs no SentencePiece. Throws DataError that names file and,
/// where known, offset: a missing manifest, a file that is missing, cut or damaged, or pairs that are not
/// those of the manifest or of the vocabulary beside them, as when the corpus is replaced meanwhile.
PreparedCorpus open_prepared_corpus(const std::string& folder);

struct CheckedFile {
  std::string name;
  int64_t bytes = 0;
  bool whole = true;
  std::string message;  ///< "whole", "missing", "12 bytes, not 34", "differs (sha256 …, not …)"
};

/// Compares every file with size and digest of the manifest; opens nothing. Throws DataError where there is
/// no manifest.
std::vector<CheckedFile> check_corpus_files(const std::string& folder);

}  // namespace smoothlab::data
