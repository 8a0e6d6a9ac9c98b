#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/ngram_match.h"
#include "eval/segment_metric.h"
#include "eval/segment_tokenizer.h"

namespace smoothlab::eval {

/// What becomes of orders without a match (Chen & Cherry, WMT 2014).
enum class Smoothing {
  exponential,  ///< "exp", their method 3, NIST's: 1/2, 1/4, … matches
  floor,        ///< "floor", method 1: a small number of matches
  add_k,        ///< "add-k", method 2: k more of both above order 1
  none,         ///< "none"
};

/// Throws UsageError naming `where` and the nearest name.
Smoothing smoothing(const std::string& name, const std::string& where);

struct BleuOptions {
  Tokenization tokenization = Tokenization::v13a;
  Smoothing smoothing = Smoothing::exponential;
  std::optional<double> smooth_value;  ///< ≥ 0, of floor (otherwise 0.1) and add-k (otherwise 1)
  bool lowercase = false;
  /// Orders above the longest that hypotheses have are left out: for scores of single segments.
  bool effective_order = false;
  size_t order = 4;  ///< longest n-gram, 1 … 16
};

/// Sums over segments.
struct BleuStatistics {
  double hypothesis_length = 0, reference_length = 0;  ///< tokens
  std::vector<double> correct, total;                  ///< [order]
};

struct BleuScore {
  double score = 0;                ///< 0 … 100
  std::vector<double> precisions;  ///< [order], 0 … 100, smoothed; all 0 where nothing matches
  double brevity_penalty = 0;      ///< 0 … 1
  BleuStatistics statistics;       ///< with k added where smoothing adds it
  double ratio() const;            ///< hypothesis to reference length, 0 where that is 0
};

/// BLEU (Papineni et al., ACL 2002, sec. 2.3) of sums, as sacreBLEU 2 computes it: 0 where nothing matches.
BleuScore bleu_score(BleuStatistics statistics, const BleuOptions& options,
                     Arithmetic arithmetic = Arithmetic::exact);

/// BLEU with modified n-gram precision over several references and the closest reference length, the shorter
/// of two as close. A reference without a token is one of length 0.
class Bleu : public SegmentMetric {
 public:
  /// Throws UsageError for options out of range.
  explicit Bleu(const BleuOptions& options);
  std::string name() const override { return "BLEU"; }
  std::string settings() const override;
  size_t statistics() const override { return 2 + 2 * options_.order; }
  void count(const std::vector<std::string_view>& hypotheses, const std::vector<std::string_view>& references,
             int32_t* out) override;
  double score(const double* sums, Arithmetic arithmetic) const override;
  std::string details(const double* sums) const override;
  nlohmann::json details_json(const double* sums) const override;

 private:
  const std::vector<std::string_view>& tokens(SegmentTokenizer& tokenizer, std::string_view segment);

  BleuOptions options_;
  std::vector<SegmentTokenizer> reference_tokenizers_;  // a segment's words live until its end
  SegmentTokenizer hypothesis_tokenizer_;
  std::vector<std::string> lowered_;
  WordNumbers words_;
  NgramMatch ngrams_;
  std::vector<uint32_t> symbols_;
};

/// Whether so many lines end in " ." (100 or more) that the text was tokenised before, as sacreBLEU guesses.
bool looks_tokenized(const std::vector<std::string_view>& hypotheses);

}  // namespace smoothlab::eval
