#include "trainer/loss_meter.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::trainer {

void LossMeter::add(const at::Tensor& loss_sum, const at::Tensor& logits, const at::Tensor& labels,
                    const at::Tensor& sample_ids, int64_t step) {
  const c10::NoGradGuard no_grad;
  Entry entry;
  entry.loss = loss_sum.detach();
  entry.correct = logits.detach().argmax(1).eq(labels).sum();
  entry.rows = labels.size(0);
  entry.step = step;
  entry.first_sample = sample_ids.data_ptr<int64_t>()[0];  // ids stay on the CPU
  entries_.push_back(std::move(entry));
}

void LossMeter::settle() {
  for (const Entry& entry : entries_) {
    const double loss = entry.loss.item<double>();
    if (!std::isfinite(loss))
      throw RunError(
          fmt::format("the loss is {} in step {}", std::isnan(loss) ? "not a number" : "infinite",
                      entry.step + 1),
          fmt::format("a batch of {} rows that begins with sample {}", entry.rows, entry.first_sample),
          "start another run with a lower optimizer.lr, a longer schedule.warmup, optimizer.clip_norm or "
          "precision fp32");
    window_.loss += loss;
    window_.correct += entry.correct.item<int64_t>();
    window_.rows += entry.rows;
  }
  entries_.clear();
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
