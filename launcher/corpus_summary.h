#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "data/corpus_manifest.h"

namespace smoothlab::launcher {

/// What a corpus consists of, for people: vocabularies, then a line a split and one for each reason of
/// dropping.
std::string corpus_text(const std::string& folder, const data::CorpusManifest& manifest);
nlohmann::ordered_json corpus_json(const std::string& folder, const data::CorpusManifest& manifest);

}  // namespace smoothlab::launcher
