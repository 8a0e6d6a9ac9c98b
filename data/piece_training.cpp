#include "data/piece_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <vector>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "data/piece_library.h"

namespace smoothlab::data {
namespace {

constexpr const char* where = "vocabulary";
constexpr int64_t least_size = 8, largest_size = 1000000;

/// At most so many of the sentences: the n-th has its place by its number, and later ones take places over.
std::vector<std::string> chosen(const SentenceSource& sentences, const PieceTraining& options) {
  std::vector<std::string> kept;
  std::string sentence;
  for (uint64_t number = 0; sentences(sentence); ++number) {
    if (number < static_cast<uint64_t>(options.most_sentences)) {
      kept.push_back(sentence);
      continue;
    }
    const uint64_t place = AddressedRandom(options.seed, Purpose::split, 0, number).below(number + 1, 1);
    if (place < kept.size()) kept[place] = sentence;
  }
  return kept;
}

struct Reading {
  const std::vector<std::string>& sentences;
  size_t next = 0;
};

bool next_sentence(void* context, const char** text, size_t* bytes) {
  auto& reading = *static_cast<Reading*>(context);
  if (reading.next == reading.sentences.size()) return false;
  const std::string& sentence = reading.sentences[reading.next++];
  *text = sentence.data();
  *bytes = sentence.size();
  return true;
}

/// Trains; what goes wrong is told in `reason`, and the model is empty then.
std::string trained(const std::vector<std::string>& sentences, const std::string& type, int64_t size,
                    double coverage, std::string& reason) {
  const auto& library = piece_library();
  Reading reading{sentences};
  const smoothlab_pieces_training training = {type.c_str(), size, coverage, next_sentence, &reading};
  char* model = nullptr;
  size_t bytes = 0;
  if (char* error = library.train(&training, &model, &bytes)) {
    reason = error;
    library.free(error);
    return "";
  }
  const std::unique_ptr<char, void (*)(void*)> owner(model, library.free);
  return {model, bytes};
}

/// Whether SentencePiece will find text there. Training unigram it ends the process where it does not.
bool has_text(const std::vector<std::string>& sentences) {
  const auto is_plain = [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
  };
  for (const std::string& sentence : sentences)
    if (sentence.size() < 4000 && sentence.find('\t') == std::string::npos &&
        std::any_of(sentence.begin(), sentence.end(), is_plain))
      return true;
  // Text in other letters, or blanks of a kind that only SentencePiece knows: for bpe it says how many pieces
  // it has, of which four are none of the text's.
  std::string reason;
  trained(sentences, "bpe", 1000000, 1, reason);
  return !std::regex_search(reason, std::regex("<= 4\\.|sentences_\\.empty"));
}

/// SentencePiece speaks of its source files and asserts; some of its complaints are the user's affair.
[[noreturn]] void explain(const std::string& reason, const PieceTraining& options) {
  std::smatch found;
  if (std::regex_search(reason, found, std::regex("too high.*<= (\\d+)")))
    throw UsageError(fmt::format("the text is too small for {} pieces", options.size), where,
                     std::stoll(found[1].str()) < least_size
                         ? "add text"
                         : fmt::format("choose a size of at most {}, or add text", found[1].str()));
  if (std::regex_search(reason, found, std::regex("smaller than required_chars\\. \\d+ vs (\\d+)")))
    throw UsageError(fmt::format("{} pieces do not hold the characters of the text", options.size), where,
                     fmt::format("choose a size of at least {}, or a lower coverage", found[1].str()));
  throw UsageError("SentencePiece cannot train this vocabulary: " + reason, where,
                   "choose another size or more text");
}

}  // namespace

void check_training(const PieceTraining& options) {
  if (options.type != "unigram" && options.type != "bpe")
    throw UsageError("unknown type of vocabulary '" + options.type + "'", where, "choose unigram or bpe");
  if (options.size < least_size || options.size > largest_size)
    throw UsageError(fmt::format("a vocabulary of {} pieces", options.size), where,
                     fmt::format("choose {} to {}", least_size, largest_size));
  if (!(options.coverage > 0.9 && options.coverage <= 1))
    throw UsageError(fmt::format("a coverage of {}", options.coverage), where,
                     "choose more than 0.9, up to 1");
  if (options.most_sentences < 1)
    throw UsageError("no sentences to train a vocabulary on", where, "choose 1 or more");
}

std::string train_pieces(const SentenceSource& sentences, const PieceTraining& options) {
  check_training(options);
  const std::vector<std::string> kept = chosen(sentences, options);
  if (!has_text(kept))
    throw DataError("no text to train a vocabulary on", where,
                    "name files with text; lines of more than 4192 bytes do not count");
  std::string reason;
  std::string model = trained(kept, options.type, options.size, options.coverage, reason);
  if (model.empty()) explain(reason, options);
  return model;
}

}  // namespace smoothlab::data
