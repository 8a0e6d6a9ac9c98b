#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/corpus_resampling.h"

namespace smoothlab::eval {

/// Segments of a corpus: those of several systems, and of each segment its references. Text is well-formed
/// UTF-8 and outlives this.
struct TranslatedCorpus {
  std::vector<std::string> system_names;
  std::vector<std::vector<std::string_view>> systems;  ///< [system][segment], as many as references
  /// [segment][reference], at least one each. An empty reference counts; one that is not there is left out.
  std::vector<std::vector<std::string_view>> references;
  /// "1", "4"; "var" where segments differ.
  std::string reference_count() const;
};

struct ScoringOptions {
  std::optional<BleuOptions> bleu;
  std::optional<ChrfOptions> chrf;
  /// 0: none. Otherwise each score has a mean and an interval, and each system but the first a p-value
  /// against the first. 2 … 1,000,000.
  int resamples = 0;
  uint64_t seed = 12345;      ///< of the resamples; sacreBLEU's
  bool each_segment = false;  ///< scores of single segments too
};

struct SystemScore {
  double score = 0;
  std::string details;  ///< as SegmentMetric has them
  nlohmann::json by_name;
  std::optional<ResampledScore> resampled;
  std::optional<double> p_value;
};

/// What one metric says of all systems.
struct MetricScores {
  std::string name, signature;
  std::vector<SystemScore> systems;
  std::vector<std::vector<SystemScore>> segments;  ///< [system][segment], where asked for
};

struct TranslationScores {
  std::vector<std::string> system_names;
  size_t segments = 0;
  std::string references;             ///< number, as in the signature
  std::vector<MetricScores> metrics;  ///< BLEU before chrF
};

/// Throws UsageError for options out of range, DataError for a corpus that is not as it says.
TranslationScores score_translations(const TranslatedCorpus& corpus, const ScoringOptions& options);

/// Statistics by one metric; a loop over segments in this thread. Throws DataError for a corpus that is not
/// as it says.
CorpusStatistics count_corpus(const TranslatedCorpus& corpus, SegmentMetric& metric);

/// "smoothlab-0.1.0"
std::string signature_version();

/// How scores are printed.
struct ScoreFormat {
  int decimals = 1;  ///< 0 … 12
  bool score_only = false;
};

/// As sacreBLEU prints: of one system a line a metric, "BLEU|signature = 48.5 82.4/50.0/… (BP = …)"; of
/// several a table and the signatures, or with score_only a line a system; of segments a line each. Ends with
/// a newline.
std::string to_text(const TranslationScores& scores, const ScoreFormat& format);

/// An object: segments, references, metrics (lists of {name, signature, systems}).
nlohmann::json to_json(const TranslationScores& scores);

}  // namespace smoothlab::eval
