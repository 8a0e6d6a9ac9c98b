#pragma once

#include <string>

#include "data/piece_module.h"

namespace smoothlab::data {

/// The entries of smoothlab_pieces.so, which is opened at the first call and stays. Throws EnvironmentError
/// where it is not beside the running program, or cannot be opened: the program was built without
/// libsentencepiece-dev.
const smoothlab_pieces_entries& piece_library();

/// SentencePiece's version, empty where there is none; never throws.
std::string sentencepiece_version();

}  // namespace smoothlab::data
