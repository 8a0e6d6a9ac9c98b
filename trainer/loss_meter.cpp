#include "trainer/loss_meter.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::trainer {

void LossMeter::add(const at::Tensor& loss_sum, const at::Tensor& logits, const at::Tensor& labels,
                    const at::Tensor& sample_ids, int64_t step) {
  note(sample_ids, step);
  accumulate(loss_sum, logits, labels);
}

void LossMeter::note(const at::Tensor& sample_ids, int64_t step) {
  notes_.push_back({sample_ids.size(0), step, sample_ids.data_ptr<int64_t>()[0]});
}

void LossMeter::accumulate(const at::Tensor& loss_sum, const at::Tensor& logits, const at::Tensor& labels) {
  const c10::NoGradGuard no_grad;
  accumulate(loss_sum, logits.detach().argmax(1).eq(labels).sum());
}

void LossMeter::accumulate(const at::Tensor& loss_sum, const at::Tensor& hits) {
  const c10::NoGradGuard no_grad;
  const at::Tensor loss = loss_sum.detach().to(at::kDouble).reshape({});
  if (!sums_.defined()) sums_ = at::tensor({0.0, 0.0, 0.0, -1.0}, at::kDouble).to(loss.device());
  const at::Tensor bad = sums_[3];
  bad.copy_(at::where(at::isfinite(loss).logical_or(bad.ge(0)), bad, sums_[2]));
  sums_.narrow(0, 0, 3).add_(at::stack({loss, hits.to(at::kDouble), at::ones_like(loss)}));
}

void LossMeter::settle() {
  if (notes_.empty()) return;
  const at::Tensor sums = sums_.to(at::kCPU);
  const double* sum = sums.data_ptr<double>();
  if (sum[3] >= 0) {
    const Note& bad = notes_.at(static_cast<size_t>(sum[3]));
    throw RunError(
        fmt::format("the loss is {} in step {}", std::isnan(sum[0]) ? "not a number" : "infinite",
                    bad.step + 1),
        fmt::format("a batch of {} rows that begins with sample {}", bad.rows, bad.first_sample),
        "start another run with a lower optimizer.lr, a longer schedule.warmup, optimizer.clip_norm or "
        "precision fp32");
  }
  window_.loss += sum[0];
  window_.correct += static_cast<int64_t>(sum[1]);
  for (const Note& note : notes_) window_.rows += note.rows;
  notes_.clear();
  // In place, since a captured graph knows where they are.
  sums_.narrow(0, 0, 3).zero_();
}

const MetricWindow& LossMeter::window() {
  settle();
  return window_;
}

std::vector<MetricWindow> gather_windows(cluster::Communicator& communicator, const MetricWindow& own) {
  // Counts stay exact as doubles up to 2^53.
  const at::Tensor mine = at::empty({1, 3}, at::kDouble);
  double* value = mine.data_ptr<double>();
  value[0] = own.loss;
  value[1] = static_cast<double>(own.correct);
  value[2] = static_cast<double>(own.rows);
  const at::Tensor all = communicator.size() == 1 ? mine : communicator.allgather(mine);
  std::vector<MetricWindow> windows(static_cast<size_t>(communicator.size()));
  const double* each = all.data_ptr<double>();
  for (auto& window : windows) {
    window = {each[0], static_cast<int64_t>(each[1]), static_cast<int64_t>(each[2])};
    each += 3;
  }
  return windows;
}

MetricWindow sum_of(const std::vector<MetricWindow>& windows) {
  MetricWindow sum;
  for (const auto& window : windows) {
    sum.loss += window.loss;
    sum.correct += window.correct;
    sum.rows += window.rows;
  }
  return sum;
}

}  // namespace smoothlab::trainer
