#include "launcher/analysis_progress.h"

#include <algorithm>
#include <utility>

namespace smoothlab::launcher {

AnalysisProgress::AnalysisProgress(std::string name, int64_t rows, int passes)
    : name_(std::move(name)), total_(rows * passes) {}

AnalysisProgress::~AnalysisProgress() {
  log_.progress_done();
}

void AnalysisProgress::add(int64_t rows) {
  done_ += rows;
  const auto now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(200) || now - start_ < std::chrono::seconds(2)) return;
  shown_ = now;
  const double rate = static_cast<double>(done_) / std::chrono::duration<double>(now - start_).count();
  log_.progress(fmt::format("{}: {} of {} rows read, {:.0f} rows/s, {:.0f} s left", name_, done_,
                            std::max(done_, total_), rate,
                            static_cast<double>(std::max<int64_t>(0, total_ - done_)) / rate));
}

}  // namespace smoothlab::launcher
