#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace smoothlab::data {

struct PieceTraining {
  int64_t size = 8000;           ///< pieces, the four special tokens included
  std::string type = "unigram";  ///< or "bpe"
  double coverage = 1;           ///< share of the characters that get pieces: less for Chinese, or dirty text
  int64_t most_sentences = 2000000;  ///< more are thinned out at random
  uint64_t seed = 1;                 ///< of that choice; nothing else is random
};

/// Throws UsageError for options out of range.
void check_training(const PieceTraining& options);

/// Gives the next sentence; false after the last.
using SentenceSource = std::function<bool(std::string& sentence)>;

/// Trains a SentencePiece vocabulary and returns its .model file: padding 0, unknown 1, begin 2, end 3. The
/// same sentences in the same order and the same options make the same bytes, on any number of cores.
/// Throws UsageError for options out of range, for a size that the text is too small for, or that does not
/// hold its characters; DataError where there is no text; EnvironmentError where SentencePiece is missing.
std::string train_pieces(const SentenceSource& sentences, const PieceTraining& options);

}  // namespace smoothlab::data
