#include "launcher/run_pieces.h"

#include <sstream>

#include "cluster/error.h"
#include "data/corpus_manifest.h"

namespace smoothlab::launcher {
namespace {

void compare(const data::WordPieces& pieces, const std::string& trained) {
  const std::string& digest = pieces.vocabulary().digest;
  if (trained.empty() || trained == digest) return;
  throw DataError(
      "another vocabulary (SHA-256 " + digest + ") than the run was trained with (" + trained + ")",
      pieces.path(), "bring back the corpus that the run was trained on; its recipe names the folder");
}

}  // namespace

RunPieces open_run_pieces(const std::string& corpus, const std::map<std::string, std::string>& weights) {
  const data::CorpusManifest manifest = data::read_manifest(corpus);
  RunPieces pieces;
  pieces.source = std::make_shared<data::WordPieces>(corpus + "/" + manifest.source_vocabulary.file);
  pieces.target = manifest.joint()
                      ? pieces.source
                      : std::make_shared<data::WordPieces>(corpus + "/" + manifest.target_vocabulary.file);
  const auto trained = weights.find("vocabulary");
  std::istringstream digests(trained == weights.end() ? "" : trained->second);
  std::string source, target;
  digests >> source >> target;
  compare(*pieces.source, source);
  compare(*pieces.target, target);
  return pieces;
}

}  // namespace smoothlab::launcher
