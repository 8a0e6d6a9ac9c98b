#include "launcher/run_pieces.h"

#include <sstream>

#include "cluster/error.h"
#include "data/corpus_manifest.h"
#include "data/small_lexicon.h"
#include "data/word_pieces.h"

namespace smoothlab::launcher {
namespace {

void compare(const data::TextPieces& pieces, const std::string& trained) {
  const std::string& digest = pieces.vocabulary().digest;
  if (trained.empty() || trained == digest) return;
  throw DataError(
      "another vocabulary (SHA-256 " + digest + ") than the run was trained with (" + trained + ")",
      pieces.path(), "bring back the corpus that the run was trained on; its recipe names the folder");
}

RunPieces words_of_generated_text() {
  const auto& lexicon = data::SmallLexicon::instance();
  // The lexicon stays.
  const auto kept = [](const data::WordList& words) {
    return std::shared_ptr<const data::TextPieces>(&words, [](const data::TextPieces*) {});
  };
  return {kept(lexicon.source_words()), kept(lexicon.target_words())};
}

RunPieces pieces_of_corpus(const std::string& corpus) {
  const data::CorpusManifest manifest = data::read_manifest(corpus);
  const auto open = [&](const data::VocabularySummary& vocabulary) {
    return std::make_shared<data::WordPieces>(data::corpus_path(corpus, vocabulary.file));
  };
  RunPieces pieces;
  pieces.source = open(manifest.source_vocabulary);
  pieces.target = manifest.joint() ? pieces.source : open(manifest.target_vocabulary);
  return pieces;
}

}  // namespace

RunPieces open_run_pieces(const data::TaskOptions& task, const std::map<std::string, std::string>& weights) {
  RunPieces pieces = task.data == "generated_text" ? words_of_generated_text() : pieces_of_corpus(task.path);
  const auto trained = weights.find("vocabulary");
  std::istringstream digests(trained == weights.end() ? "" : trained->second);
  std::string source, target;
  digests >> source >> target;
  compare(*pieces.source, source);
  compare(*pieces.target, target);
  return pieces;
}

}  // namespace smoothlab::launcher
