#pragma once

#include <nlohmann/json.hpp>

#include "data/prepare_text.h"

namespace smoothlab::data {

/// Throws UsageError for options that contradict each other.
void check_options(const PrepareTextOptions& options);

/// Everything that decides what a corpus consists of: options, digests of the files, SentencePiece's version
/// where it trains; and what the files are called. Throws DataError for a file that is missing.
nlohmann::ordered_json request_of(const PrepareTextOptions& options);

/// The same without what the files are called.
nlohmann::ordered_json deciding(const nlohmann::ordered_json& request);

}  // namespace smoothlab::data
