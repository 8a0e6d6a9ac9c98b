#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "data/text_pieces.h"

namespace smoothlab::data {

/// A vocabulary of whole words, which blanks separate in a text: padding 0, unknown 1, begin 2, end 3, and
/// the words from 4 on. Its digest is that of the words.
class WordList final : public TextPieces {
 public:
  static constexpr int32_t first_word = 4;

  /// path: what errors call it. Words are not empty, hold no blanks, and are there once; else UsageError.
  WordList(std::string path, std::vector<std::string> words);

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const std::string& path() const override { return path_; }
  /// Words that are not in the list become the unknown token.
  std::vector<int32_t> encode(const std::string& text) const override;
  /// Unknown leaves nothing behind, as padding, begin and end do.
  std::string decode(const std::vector<int32_t>& ids) const override;
  std::string decode(const Tokens& tokens) const;
  std::vector<std::string> pieces() const override;
  /// The unknown token where the word is not in the list.
  int32_t id(const std::string& word) const;

 private:
  std::string path_;
  std::vector<std::string> words_;
  std::unordered_map<std::string, int32_t> ids_;
  Vocabulary vocabulary_;
};

}  // namespace smoothlab::data
