#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/translation_scores.h"
#include "support/process.h"

namespace smoothlab::eval {

/// Figures that sacreBLEU printed; tests/eval/reference/translation_reference.py says how.
inline const nlohmann::json& translation_reference() {
  static const nlohmann::json all = nlohmann::json::parse(
      std::ifstream(test::source_path("tests/eval/reference/translation_reference.json")));
  return all;
}

/// Text of a test, which owns it: references are streams, as sacreBLEU takes them.
struct OwnedCorpus {
  std::vector<std::vector<std::string>> systems, references;

  static OwnedCorpus of_reference() {
    return {translation_reference()["systems"], translation_reference()["references"]};
  }
  TranslatedCorpus view() const {
    TranslatedCorpus corpus;
    for (const auto& system : systems) {
      corpus.system_names.push_back("system " + std::to_string(corpus.systems.size()));
      corpus.systems.emplace_back(system.begin(), system.end());
    }
    corpus.references.resize(systems.front().size());
    for (const auto& stream : references)
      for (size_t i = 0; i < stream.size(); ++i) corpus.references[i].push_back(stream[i]);
    return corpus;
  }
};

/// What the metric says of the first system; options a metric's own.
template <typename Metric, typename MetricOptions>
double corpus_score(const OwnedCorpus& text, const MetricOptions& options) {
  Metric metric(options);
  return metric.score(count_corpus(text.view(), metric).sums(0).data(), Arithmetic::exact);
}

}  // namespace smoothlab::eval
