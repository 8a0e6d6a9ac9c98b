#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "eval/logit_publish.h"
#include "eval/logit_schema.h"
#include "eval/logit_shard_writer.h"

namespace smoothlab::eval {

/// What to do with a file that says of itself that it is not complete (attribute `complete` is 0).
enum class Incomplete { refuse, accept };
/// What to do with a file of the greatest logits only (compact_logits.h): of the others it has the mean, so
/// that most of what a file is judged by would be wrong.
enum class Compact { refuse, accept };
/// What to do with a summary (logit_summary.h), which has no logits to read.
enum class Summary { refuse, accept };

/// Reads any HDF5 file with /logits [N, K] (any float or integer type) and /labels [N] (any integer type),
/// whoever wrote it: contiguous, chunked, compressed or virtual. Throws DataError that names the file, the
/// object and what is there instead: not HDF5, truncated, objects missing, wrong rank, rows that differ, N =
/// 0, K < 2, incomplete, of another schema, with an alpha that is none, a link that leads nowhere or into
/// another file, a shard of a virtual file missing (HDF5 itself would silently read zeros). Values are
/// checked where a file is streamed, see logit_chunks.h. Reading is thread-safe.
class LogitFile {
 public:
  explicit LogitFile(const std::string& path, Incomplete incomplete = Incomplete::refuse,
                     Compact compact = Compact::refuse, Summary summary = Summary::refuse);
  ~LogitFile();
  LogitFile(const LogitFile&) = delete;
  LogitFile& operator=(const LogitFile&) = delete;

  const std::string& path() const;
  /// The file and those that its virtual datasets refer to.
  std::vector<std::string> paths() const;
  int64_t rows() const;
  int64_t classes() const;
  /// Logits that are stored of each row: K, or of a compact file or a summary how many are.
  int64_t kept() const;
  /// L of /penultimate, 0 where there is none.
  int64_t penultimate() const;
  /// Whether there is an object of this name, such as "sample_id" or "classifier/weight".
  bool has(const std::string& object) const;
  /// An attribute as text, empty where missing. Numbers in shortest form.
  std::string attribute(const std::string& name) const;
  /// All of them, by name: numbers as numbers, text as text.
  nlohmann::ordered_json attributes() const;
  /// False when the file says of itself that it is not complete. Files without the attribute are complete.
  bool complete() const;

  /// A summary: read_summary() gives its rows, read_logits() throws DataError.
  bool is_summary() const;
  /// Those of a summary's /log_sum_exp, rising; empty for another file.
  const std::vector<double>& temperatures() const;
  /// Throws DataError where the file is none, or names the row in which values contradict each other.
  void read_summary(int64_t first, int64_t count, SummaryRows& out) const;

  /// Reads rows [first, first+count) into the caller's memory.
  void read_logits(int64_t first, int64_t count, float* out) const;
  void read_labels(int64_t first, int64_t count, int64_t* out) const;
  /// Where a file has no /sample_id, rows number the samples.
  void read_sample_ids(int64_t first, int64_t count, int64_t* out) const;
  /// Throws DataError where the file has no /position.
  void read_positions(int64_t first, int64_t count, int64_t* out) const;
  /// Throws DataError where the file has no /penultimate.
  void read_penultimate(int64_t first, int64_t count, float* out) const;
  /// What the classes are called, K names; empty where the file does not say. Throws DataError.
  std::vector<std::string> class_names() const;
  /// {weight [K, L], bias [K]}; throws DataError where the file keeps no templates.
  std::pair<std::vector<float>, std::vector<float>> classifier() const;

  /// True when rows are read straight from the file, without HDF5, by any number of threads at once.
  bool direct() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::eval
