#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eval/logit_summary.h"
#include "eval/row_source.h"

namespace smoothlab::eval {

/// The rows of a summary in a file: /log_sum_exp [N, G], /label_logit [N], /top_logits and /top_classes
/// [N, k], and /temperatures [G]. Throws DataError naming file and object for shapes that do not go together,
/// for k > K, and for temperatures that are not positive, rising, and around 1.
class SummarySource {
 public:
  SummarySource(SourceFiles& files, int64_t classes);
  const std::vector<double>& temperatures() const { return temperatures_; }
  /// Throws DataError naming the row whose values no logits could have.
  void read(int64_t first, int64_t count, SummaryRows& out) const;

 private:
  [[noreturn]] void fail(const std::string& problem) const;
  void require_rows(const RowSource& rows, const char* name, int rank, int64_t width) const;
  void check(int64_t first, size_t rows, const std::vector<int64_t>& labels, const SummaryRows& out) const;

  std::string path_;
  int64_t classes_;
  std::vector<double> temperatures_;
  std::unique_ptr<RowSource> log_sum_exp_, label_logits_, top_logits_, top_classes_, labels_;
};

}  // namespace smoothlab::eval
