#pragma once

#include <map>
#include <memory>
#include <string>

#include "data/task.h"
#include "data/text_pieces.h"

namespace smoothlab::launcher {

/// The vocabularies of a translator; one object where it is joint.
struct RunPieces {
  std::shared_ptr<const data::TextPieces> source, target;
};

/// Opens those of a task: of the prepared corpus at its path, or the words of generated text. weights: what
/// the weights file says of itself, of which "vocabulary" are the SHA-256 of the vocabularies of source and
/// target, a blank between them, that they were trained with; without it nothing is compared. Throws
/// DataError where the folder holds no prepared corpus, and where a vocabulary is another one, naming both;
/// EnvironmentError without SentencePiece.
RunPieces open_run_pieces(const data::TaskOptions& task, const std::map<std::string, std::string>& weights);

}  // namespace smoothlab::launcher
