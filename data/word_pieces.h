#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/text_pieces.h"

namespace smoothlab::data {

/// A SentencePiece vocabulary: text to ids and back. Thread-safe.
class WordPieces final : public TextPieces {
 public:
  /// Opens a .model file, whoever trained it. Throws DataError for a file that is missing or no such model,
  /// and for a vocabulary without an unknown piece; EnvironmentError where SentencePiece is missing.
  explicit WordPieces(const std::string& path);
  ~WordPieces() override;
  WordPieces(const WordPieces&) = delete;
  WordPieces& operator=(const WordPieces&) = delete;

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const std::string& path() const override { return path_; }

  /// Ids in 0 … size−1, without begin and end; the text (UTF-8) is normalised as the model says. None for a
  /// text of nothing but blanks.
  std::vector<int32_t> encode(const std::string& text) const override;
  /// Plain text of ids: blanks between words are restored; padding, begin and end leave nothing behind,
  /// unknown becomes " ⁇ " or what else the model has for it. Throws DataError for an id that the vocabulary
  /// does not have.
  std::string decode(const std::vector<int32_t>& ids) const override;
  std::string decode(const Tokens& tokens) const;
  /// A piece as the vocabulary writes it: "▁house". Throws DataError as decode does.
  std::string piece(int32_t id) const;
  std::vector<std::string> pieces() const override;

 private:
  void check(int32_t id) const;

  struct State;
  std::string path_;
  Vocabulary vocabulary_;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::data
