#pragma once

#include <cstdint>
#include <exception>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "trainer/checkpoint.h"

namespace smoothlab::trainer {

/// Writes checkpoints on a thread of its own, each whole or not at all: beside its place, every file synced,
/// the manifest last, then renamed. Only after that are those removed that it supersedes: all but the newest
/// `keep` of its own and earlier steps and the best one that each of these knows of, so that a run can go on
/// from any of them; and those that are known to be damaged. One of a later step that is not known to be
/// damaged stays. One at a time. What goes wrong on the thread is thrown by the next call.
class CheckpointWriter {
 public:
  /// files outlives this. keep ≥ 1. damaged: steps of checkpoints that do not match what was written; they go
  /// when the next one is whole.
  CheckpointWriter(cluster::FileSystem& files, std::string folder, int64_t keep,
                   std::vector<int64_t> damaged);
  /// Waits; an error that nobody asked for is dropped.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Starts writing; waits for the one before. The checkpoint's tensors must be copies that nobody changes.
  void write(Checkpoint checkpoint);
  /// Whether something has gone wrong so far that nobody has been told; does not wait.
  bool has_failed();
  /// Throws it; does not wait.
  void check();
  /// Returns when everything is on disk.
  void wait();

 private:
  void write_now(const Checkpoint& checkpoint);
  void remove_superseded(int64_t newest);
  std::set<int64_t> best_of(const std::vector<int64_t>& steps) const;
  void finish();

  cluster::FileSystem& files_;
  std::string folder_;
  int64_t keep_;
  std::vector<int64_t> damaged_;
  std::future<void> pending_;
  std::exception_ptr failure_;
};

}  // namespace smoothlab::trainer
