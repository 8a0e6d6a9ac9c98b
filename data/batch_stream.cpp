#include "data/batch_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/error.h"
#include "data/batch_feed.h"
#include "data/prefetch_queue.h"

namespace smoothlab::data {
namespace {

/// Part `part` of [0, total) cut into `parts` runs whose sizes differ by at most one.
struct Run {
  int64_t first, end;
  Run(int64_t total, int64_t parts, int64_t part)
      : first(total * part / parts), end(total * (part + 1) / parts) {}
  int64_t size() const { return end - first; }
};

void check(const Slice& slice) {
  if (slice.ranks < 1 || slice.rank < 0 || slice.rank >= slice.ranks)
    throw UsageError(fmt::format("rank {} of {}", slice.rank, slice.ranks), "slice", "ranks count from 0");
}

void check(int64_t value, int64_t least, const char* name) {
  if (value < least)
    throw UsageError(fmt::format("{} is {}", name, value), "batch stream",
                     fmt::format("choose at least {}", least));
}

}  // namespace

int loading_workers(const Dataset& dataset, const cluster::Placement& placement) {
  return dataset.slow_to_load() && !placement.device.is_cpu() ? placement.threads : 1;
}

struct TrainingStream::State {
  struct Item {
    MicroBatch micro;
    cluster::SideStream::Ready ready;
  };

  BatchFeed feed;
  TrainingStreamOptions options;
  std::shared_ptr<const BatchOrder> order;
  int64_t micro_batches;  ///< of one step
  std::unique_ptr<PrefetchQueue<Item>> queue;

  State(std::shared_ptr<const Dataset> set, const TrainingStreamOptions& o)
      : feed(std::move(set), o.device, o.input_type),
        options(o),
        order(make_batch_order(feed.dataset(), o.seed, o.global_batch)),
        micro_batches(parts_of_a_step(o)) {}

  /// Counted for the largest slice, so that all ranks reduce gradients equally often.
  static int64_t parts_of_a_step(const TrainingStreamOptions& o) {
    if (o.micro_batch == 0) return 1;
    const int64_t whole = o.global_batch.tokens > 0 ? o.global_batch.tokens : o.global_batch.samples;
    const int64_t share = (whole + o.slice.ranks - 1) / o.slice.ranks;
    return std::max<int64_t>(1, (share + o.micro_batch - 1) / o.micro_batch);
  }

  /// Micro-batches are numbered through all steps.
  Item make(int64_t index) const {
    MicroBatch result;
    result.step = index / micro_batches;
    const int64_t part = index % micro_batches;
    result.last = part == micro_batches - 1;
    const Run slice(order->size(result.step), options.slice.ranks, options.slice.rank);
    const Run run(slice.size(), micro_batches, part);
    std::vector<SampleAddress> samples = order->at(result.step, slice.first + run.first, run.size());
    if (options.draws > 0)
      for (SampleAddress& sample : samples) sample.epoch %= options.draws;
    FedBatch fed = feed.make(samples, Augment::training, options.companion.get());
    result.batch = std::move(fed.batch);
    return {std::move(result), std::move(fed.ready)};
  }
};

TrainingStream::TrainingStream(std::shared_ptr<const Dataset> dataset, const TrainingStreamOptions& options) {
  check(options.slice);
  check(options.global_batch.samples, 1, "global batch");
  check(options.global_batch.tokens, 0, "tokens of the global batch");
  check(options.micro_batch, 0, "micro batch");
  check(options.first_step, 0, "first step");
  check(options.draws, 0, "draws");
  state_ = std::make_unique<State>(std::move(dataset), options);
  state_->queue = std::make_unique<PrefetchQueue<State::Item>>(
      options.first_step * state_->micro_batches, options.workers, options.prefetch,
      [state = state_.get()](int64_t index) { return state->make(index); });
}

TrainingStream::~TrainingStream() = default;

MicroBatch TrainingStream::next() {
  State::Item item = state_->queue->next();
  item.ready.wait();
  return std::move(item.micro);
}

struct EvaluationStream::State {
  BatchFeed feed;
  EvaluationStreamOptions options;
  Run batches;
  int64_t position;
  int64_t rows = 0, first_row = 0, total_rows = 0;
  std::unique_ptr<PrefetchQueue<FedBatch>> queue;

  State(std::shared_ptr<const Dataset> set, const EvaluationStreamOptions& o)
      : feed(std::move(set), o.device, o.input_type),
        options(o),
        batches((feed.dataset().size() + o.batch - 1) / o.batch, o.slice.ranks, o.slice.rank),
        position(batches.first) {
    const int64_t first = batches.first * o.batch,
                  end = std::min(feed.dataset().size(), batches.end * o.batch);
    for (int64_t sample = 0; sample < feed.dataset().size(); ++sample) {
      const int64_t count = feed.dataset().rows(sample);
      total_rows += count;
      if (sample < first)
        first_row += count;
      else if (sample < end)
        rows += count;
    }
  }

  FedBatch make(int64_t index) const {
    if (index >= batches.end) return {};
    const int64_t first = index * options.batch;
    std::vector<SampleAddress> samples(std::min(options.batch, feed.dataset().size() - first));
    for (size_t i = 0; i < samples.size(); ++i) samples[i].sample = first + static_cast<int64_t>(i);
    return feed.make(samples, Augment::none);
  }
};

EvaluationStream::EvaluationStream(std::shared_ptr<const Dataset> dataset,
                                   const EvaluationStreamOptions& options) {
  check(options.slice);
  check(options.batch, 1, "batch");
  state_ = std::make_unique<State>(std::move(dataset), options);
  state_->queue = std::make_unique<PrefetchQueue<FedBatch>>(
      state_->batches.first, options.workers, options.prefetch,
      [state = state_.get()](int64_t index) { return state->make(index); });
}

EvaluationStream::~EvaluationStream() = default;

bool EvaluationStream::next(Batch& batch) {
  if (state_->position >= state_->batches.end) return false;
  ++state_->position;
  FedBatch fed = state_->queue->next();
  fed.ready.wait();
  batch = std::move(fed.batch);
  return true;
}

int64_t EvaluationStream::rows() const {
  return state_->rows;
}
int64_t EvaluationStream::first_row() const {
  return state_->first_row;
}
int64_t EvaluationStream::total_rows() const {
  return state_->total_rows;
}

}  // namespace smoothlab::data
