#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// Where logits come from; attributes of a logit file (schema 1).
struct LogitOrigin {
  std::string task, split, model;
  int64_t step = 0;
  std::optional<double> alpha;  ///< none: unknown, not written
  std::string convention;       ///< which definition of smoothing the model was trained with
  std::string recipe;           ///< the resolved recipe's text
  std::string recipe_hash;      ///< hex digest of it
  std::string code_version;
  std::string inputs;  ///< how they were augmented where they are not a split as it is; empty: not written
  std::string
      samples_digest;  ///< hex SHA-256 of the split's samples (Dataset::fingerprint); the pass fills it in
  std::string weights_digest;  ///< hex SHA-256 of the file that holds the weights; empty: not written
  std::vector<std::string> class_names;  ///< of /class_names, K of them; empty: unknown
  int ranks = 1;
};

enum class LogitPrecision { float32, float16 };

/// What a summary keeps of a row in place of its K logits (logit_summary.h).
struct SummaryShape {
  int64_t top = 10;                  ///< k greatest logits, 1 … K
  std::vector<double> temperatures;  ///< of /log_sum_exp: rising, > 0
};

/// What a writer must know before the first row.
struct LogitShape {
  int64_t rows = 0;         ///< rows that will be written by this rank
  int64_t classes = 0;      ///< K
  int64_t penultimate = 0;  ///< L, 0: not kept
  bool positions = false;   ///< text: also /position
  LogitPrecision precision = LogitPrecision::float32;
  std::optional<SummaryShape> summary = std::nullopt;  ///< in place of /logits; no penultimate, one precision
};

/// Rows of a block of logits: about 1 MiB of float32. A function of K alone, so that files are chunked and
/// streams are cut alike at any rank count.
inline int64_t rows_per_chunk(int64_t classes) {
  const int64_t rows = (int64_t{1} << 18) / (classes < 1 ? 1 : classes);
  return rows < 1 ? 1 : rows;
}

}  // namespace smoothlab::eval
