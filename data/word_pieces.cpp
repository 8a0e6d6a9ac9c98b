#include "data/word_pieces.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/file_bytes.h"
#include "data/piece_library.h"

namespace smoothlab::data {

struct WordPieces::State {
  const smoothlab_pieces_entries& library = piece_library();
  smoothlab_pieces* pieces = nullptr;

  ~State() {
    if (pieces) library.unload(pieces);
  }
  /// Throws what the module says, if it says anything.
  void check(char* error, const std::string& what, const std::string& where) const {
    if (!error) return;
    const std::string reason = error;
    library.free(error);
    throw DataError(what + ": " + reason, where, "name a .model file that SentencePiece has trained");
  }
};

WordPieces::WordPieces(const std::string& path) : path_(path) {
  const auto bytes = read_file_bytes(path, "name a SentencePiece model");
  state_ = std::make_unique<State>();
  smoothlab_pieces_facts facts{};
  if (char* error = state_->library.load(bytes.data(), bytes.size(), &state_->pieces, &facts)) {
    state_->library.free(error);  // it tells of the library's source and not of the file
    throw DataError("not a SentencePiece model", path, "name a .model file that SentencePiece has trained");
  }
  vocabulary_.size = facts.size;
  vocabulary_.special = {facts.padding, facts.unknown, facts.begin, facts.end};
  vocabulary_.digest = sha256({{bytes.data(), bytes.size()}});
  for (const int32_t id : {facts.padding, facts.unknown, facts.begin, facts.end})
    if (id < -1 || id >= facts.size || facts.unknown < 0)
      throw DataError("a vocabulary without the special tokens that it needs", path,
                      "name a .model file that SentencePiece has trained");
}

WordPieces::~WordPieces() = default;

std::vector<int32_t> WordPieces::encode(const std::string& text) const {
  int32_t* ids = nullptr;
  size_t count = 0;
  state_->check(state_->library.encode(state_->pieces, text.data(), text.size(), &ids, &count),
                "cannot encode a text", path_);
  const std::unique_ptr<int32_t, void (*)(void*)> owner(ids, state_->library.free);
  return {ids, ids + count};
}

std::string WordPieces::decode(const std::vector<int32_t>& ids) const {
  return decode(Tokens{ids.data(), static_cast<int64_t>(ids.size())});
}

std::string WordPieces::decode(const Tokens& tokens) const {
  for (const int32_t id : tokens) check(id);
  char* text = nullptr;
  size_t bytes = 0;
  state_->check(
      state_->library.decode(state_->pieces, tokens.first, static_cast<size_t>(tokens.count), &text, &bytes),
      "cannot decode tokens", path_);
  const std::unique_ptr<char, void (*)(void*)> owner(text, state_->library.free);
  return {text, bytes};
}

std::string WordPieces::piece(int32_t id) const {
  check(id);
  size_t bytes = 0;
  const char* name = state_->library.piece(state_->pieces, id, &bytes);
  return {name, bytes};
}

void WordPieces::check(int32_t id) const {
  if (id < 0 || id >= vocabulary_.size)
    throw DataError(fmt::format("token {} is not of this vocabulary, which has {}", id, vocabulary_.size),
                    path_, "use the vocabulary that the tokens were made with");
}

std::vector<std::string> WordPieces::pieces() const {
  std::vector<std::string> all;
  for (int32_t id = 0; id < vocabulary_.size; ++id) all.push_back(piece(id));
  return all;
}

}  // namespace smoothlab::data
