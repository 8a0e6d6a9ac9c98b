#include "eval/tempered_calibration.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <utility>

namespace smoothlab::eval {

TemperedCalibration::TemperedCalibration(std::vector<double> temperatures, int64_t classes)
    : temperatures_(std::move(temperatures)), classes_(classes), sums_(temperatures_.size()) {}

void TemperedCalibration::add(const float* logits, const int64_t* labels, int64_t n) {
  at::parallel_for(0, static_cast<int64_t>(sums_.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto t = static_cast<size_t>(begin); t < static_cast<size_t>(end); ++t)
      accumulate_calibration(logits, labels, n, classes_, temperatures_[t], sums_[t]);
  });
}

void TemperedCalibration::sum_over(cluster::Communicator& communicator) {
  for (CalibrationSums& sums : sums_) {
    std::vector<double> packed = sums.pack();
    communicator.allreduce(at::from_blob(packed.data(), {static_cast<int64_t>(packed.size())}, at::kDouble),
                           cluster::Reduction::sum);
    sums.unpack(packed);
  }
}

}  // namespace smoothlab::eval
