#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eval/ngram_match.h"
#include "eval/segment_metric.h"

namespace smoothlab::eval {

struct ChrfOptions {
  size_t character_order = 6;  ///< longest n-gram of characters, 1 … 64
  size_t word_order = 0;       ///< longest n-gram of words, 0 … 64; 2 is chrF++
  int beta = 2;                ///< weight of recall, 1 … 1000
  bool lowercase = false;
  bool white_space = false;  ///< n-grams of characters hold white space too
  /// The mean of the orders' F with 1e-16 for what is undefined, as chrF++.py, NLTK and Moses have it.
  /// Otherwise F of precision and recall that are means over the orders that both sides have.
  bool epsilon_smoothing = false;
};

/// chrF (Popović, WMT 2015) and chrF++ (Popović, WMT 2017), as sacreBLEU 2 computes them: of several
/// references a segment is counted against the one of the greatest F, the first of those.
class Chrf : public SegmentMetric {
 public:
  /// Throws UsageError for options out of range.
  explicit Chrf(const ChrfOptions& options);
  std::string name() const override;
  std::string settings() const override;
  size_t statistics() const override { return 3 * (options_.character_order + options_.word_order); }
  void count(const std::vector<std::string_view>& hypotheses, const std::vector<std::string_view>& references,
             int32_t* out) override;
  double score(const double* sums, Arithmetic arithmetic) const override;
  std::string details(const double*) const override { return ""; }
  nlohmann::json details_json(const double* sums) const override;

 private:
  void characters_of(std::string_view segment);
  void words_of(std::string_view segment);
  void compare(const std::vector<std::string_view>& hypotheses, std::string_view reference, int32_t* out);

  ChrfOptions options_;
  NgramMatch characters_, words_;
  WordNumbers numbers_;
  std::vector<uint32_t> symbols_;
  std::vector<std::string_view> pieces_;
};

}  // namespace smoothlab::eval
