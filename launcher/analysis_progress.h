#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cluster/log.h"

namespace smoothlab::launcher {

/// "2 of 3: runs/a/logits/test.h5: 120000 of 400000 rows read, 1200000 rows/s, 0 s left" on stderr, once it
/// takes long enough to be wondered about.
class AnalysisProgress {
 public:
  /// passes: how many times the file is likely to be read.
  AnalysisProgress(std::string name, int64_t rows, int passes);
  ~AnalysisProgress();
  AnalysisProgress(const AnalysisProgress&) = delete;
  AnalysisProgress& operator=(const AnalysisProgress&) = delete;

  void add(int64_t rows);

 private:
  using Clock = std::chrono::steady_clock;
  cluster::Log log_{0};
  std::string name_;
  int64_t total_, done_ = 0;
  Clock::time_point start_ = Clock::now(), shown_;
};

}  // namespace smoothlab::launcher
