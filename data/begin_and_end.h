#pragma once

#include <string>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

/// Sentences are trained on and translated between the two tokens. Throws DataError for a vocabulary that
/// lacks one, as T5's does; path: what the error calls it.
void require_begin_and_end(const Vocabulary& vocabulary, const std::string& path);

}  // namespace smoothlab::data
