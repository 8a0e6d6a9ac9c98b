#pragma once

#include "data/prepare_text.h"

namespace smoothlab::data {

/// Throws UsageError where preparing would overwrite or remove what is not its own: a file in the folder
/// that no corpus there lists, or one of its inputs. `force` changes nothing: it is for corpora.
void check_outputs(const PrepareTextOptions& options);

}  // namespace smoothlab::data
