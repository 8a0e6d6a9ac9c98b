#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "eval/logit_schema.h"
#include "eval/logit_summary.h"

namespace smoothlab::eval {

/// Rows on their way to a file; all arrays row-major and `rows` long. Ownership moves to the writer.
struct LogitRows {
  int64_t rows = 0;
  std::vector<float> logits;        ///< [rows, K]
  std::vector<float> penultimate;   ///< [rows, L]
  std::vector<int64_t> labels;      ///< [rows]
  std::vector<int64_t> sample_ids;  ///< [rows], ≥ 0
  std::vector<int32_t> positions;   ///< [rows] or empty
  SummaryRows summary;              ///< in place of logits, where the shard is a summary
};

/// One rank's shard. All space is laid out when it is made, so that writing rows touches no metadata and rows
/// already written survive kill -9: at any moment the file opens, and a row whose sample_id is not −1 is
/// whole. Writing happens on a thread of its own behind a queue of bounded size; an error there is thrown by
/// the next append() or close(). Without close() the destructor writes rows still queued and
/// leaves the file incomplete. As long as the writer lives, no other evaluation removes its shard.
///
/// Throws EnvironmentError naming the path when the disk is full or fails (space is reserved up front, where
/// the file system can; where there is no room no shard is left), RunError naming the sample for a logit or
/// penultimate activation that is not finite, or where rows are too many or too few, UsageError naming the
/// sample for one that is finite and beyond float16.
class LogitShardWriter {
 public:
  LogitShardWriter(const std::string& path, const LogitShape& shape, const LogitOrigin& origin,
                   const std::shared_ptr<cluster::FileSystem>& files = cluster::local_file_system());
  ~LogitShardWriter();
  LogitShardWriter(const LogitShardWriter&) = delete;
  LogitShardWriter& operator=(const LogitShardWriter&) = delete;
  /// Waits while more than 64 MiB are queued.
  void append(LogitRows rows);
  /// templates of the classifier: weight [K, L], bias [K].
  void classifier(std::vector<float> weight, std::vector<float> bias);
  /// Waits for the writing thread, checks the number of rows, sets `complete`, syncs. stand_ins: rows of the
  /// whole file whose samples could not be read, others being in their place; 0: not written.
  void close(int64_t stand_ins = 0);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::eval
