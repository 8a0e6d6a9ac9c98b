#include "data/corpus_vocabularies.h"

#include "data/begin_and_end.h"
#include "data/corpus_split.h"
#include "data/file_bytes.h"
#include "data/piece_training.h"

namespace smoothlab::data {
namespace {

enum class Side { source, target, both };

std::string train_side(const PrepareTextOptions& options, const HoldOut& held_out, Side side,
                       const PrepareCallback& progress) {
  PairStream pairs(options.train, held_out, HoldOut::Split::train, "reading for the vocabulary", progress);
  TextPair pair;
  bool has_target = false;
  const auto next = [&](std::string& sentence) {
    if (has_target) {
      has_target = false;
      sentence = pair.target;
      return true;
    }
    do {
      if (!pairs.next(pair)) {
        if (progress) progress({"training the vocabulary"});
        return false;
      }
    } while (pair.source.empty() || pair.target.empty());
    has_target = side == Side::both;
    sentence = side == Side::target ? pair.target : pair.source;
    return true;
  };
  return train_pieces(next, options.pieces);
}

std::string given(const std::string& path) {
  const auto bytes = read_file_bytes(path, "name a SentencePiece model");
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void check_given_vocabularies(const PrepareTextOptions& options) {
  for (const std::string& path : {options.source_vocabulary, options.target_vocabulary})
    if (!path.empty()) require_begin_and_end(WordPieces(path).vocabulary(), path);
}

CorpusVocabularies::CorpusVocabularies(cluster::FileSystem& files, const std::string& folder,
                                       const PrepareTextOptions& options, const HoldOut& held_out,
                                       const PrepareCallback& progress) {
  const bool is_trained = options.source_vocabulary.empty();
  const auto model = [&](const std::string& existing, Side side) {
    return is_trained ? train_side(options, held_out, side, progress) : given(existing);
  };
  const auto add = [&](const std::string& name, const std::string& bytes) {
    DigestedFile file(files, folder, name);
    file.write(bytes);
    listed_.push_back(file.finish());
    opened_.push_back(std::make_unique<WordPieces>(folder + "/" + name));
  };
  const bool trains_one = is_trained && !options.separate_vocabularies;
  const std::string source = model(options.source_vocabulary, trains_one ? Side::both : Side::source);
  const std::string target = trains_one ? source : model(options.target_vocabulary, Side::target);
  if (source == target) {
    add("vocabulary.model", source);
  } else {
    add("source.model", source);
    add("target.model", target);
  }
}

}  // namespace smoothlab::data
