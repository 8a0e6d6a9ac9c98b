#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace smoothlab::eval {

/// Where logits come from; attributes of a logit file (schema 1).
struct LogitOrigin {
  std::string task, split, model;
  int64_t step = 0;
  double alpha = 0;
  std::string convention;   ///< which definition of smoothing the model was trained with
  std::string recipe;       ///< the resolved recipe's text
  std::string recipe_hash;  ///< hex digest of it
  std::string code_version;
  int ranks = 1;
};

enum class LogitPrecision { float32, float16 };

/// What a writer must know before the first row.
struct LogitShape {
  int64_t rows = 0;         ///< rows that will be written by this rank
  int64_t classes = 0;      ///< K
  int64_t penultimate = 0;  ///< L, 0: not kept
  bool positions = false;   ///< text: also /position
  LogitPrecision precision = LogitPrecision::float32;
};

/// Rows on their way to a file; all arrays row-major and `rows` long. Ownership moves to the writer.
struct LogitRows {
  int64_t rows = 0;
  std::vector<float> logits;        ///< [rows, K]
  std::vector<float> penultimate;   ///< [rows, L]
  std::vector<int64_t> labels;      ///< [rows]
  std::vector<int64_t> sample_ids;  ///< [rows]
  std::vector<int32_t> positions;   ///< [rows] or empty
};

/// One rank's shard. All space is laid out when it is made, so that writing rows touches no metadata and
/// rows already written survive kill -9; rows not yet written have sample_id −1. Writing happens on a thread
/// of its own; an error there is thrown by the next call.
class LogitShardWriter {
 public:
  LogitShardWriter(const std::string& path, const LogitShape& shape, const LogitOrigin& origin);
  ~LogitShardWriter();
  void append(LogitRows rows);
  /// templates of the classifier: weight [K, L], bias [K].
  void classifier(std::vector<float> weight, std::vector<float> bias);
  /// Waits for the writing thread, checks the number of rows, sets `complete`, syncs.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Publishes shards (paths in rank order, each complete) as one virtual file at `path`, whole or not at all.
/// Shards are referred to by name only, so the folder can be moved.
void publish_logit_file(const std::string& path, const std::vector<std::string>& shards);

/// Copies a virtual file into one plain file.
void pack_logit_file(const std::string& from, const std::string& to);

/// A chunk of consecutive rows of a file that is read as a stream.
struct LogitChunk {
  int64_t first_row = 0, rows = 0;
  const float* logits = nullptr;         ///< [rows, K]
  const int64_t* labels = nullptr;       ///< [rows]
};

/// Reads any HDF5 file with /logits [N, K] (any float type) and /labels [N] (any integer type), whoever
/// wrote it. Throws DataError that names the file, the object and, for a bad value, the row.
class LogitFile {
 public:
  explicit LogitFile(const std::string& path);
  ~LogitFile();
  const std::string& path() const;
  int64_t rows() const;
  int64_t classes() const;
  /// L of /penultimate, 0 where there is none.
  int64_t penultimate() const;
  bool has(const std::string& object) const;
  /// An attribute as text, empty where missing.
  std::string attribute(const std::string& name) const;
  /// False when the file says of itself that it is not complete.
  bool complete() const;

  /// Reads rows [first, first+count) into the caller's memory.
  void read_logits(int64_t first, int64_t count, float* out) const;
  void read_labels(int64_t first, int64_t count, int64_t* out) const;
  void read_sample_ids(int64_t first, int64_t count, int64_t* out) const;
  void read_penultimate(int64_t first, int64_t count, float* out) const;
  /// {weight [K, L], bias [K]}; throws DataError where the file keeps no templates.
  std::pair<std::vector<float>, std::vector<float>> classifier() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::eval
