#include "eval/logit_shard_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "cluster/error.h"
#include "eval/half_precision.h"
#include "eval/row_kernels.h"
#include "eval/shard_file.h"
#include "eval/shard_layout.h"
#include "eval/unfinished_file.h"

namespace smoothlab::eval {
namespace {

constexpr int64_t most_queued = int64_t{64} << 20;   // bytes
constexpr int64_t sync_interval = int64_t{8} << 20;  // bytes

int64_t queued_bytes(const LogitRows& rows) {
  return static_cast<int64_t>(4 * (rows.logits.size() + rows.penultimate.size() + rows.positions.size()) +
                              8 * (rows.labels.size() + rows.sample_ids.size())) +
         summary_bytes(rows.summary);
}

}  // namespace

struct LogitShardWriter::State {
  const std::string path;
  const LogitShape shape;
  ShardLayout layout;
  std::unique_ptr<ShardFile> file;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<LogitRows> queue;
  int64_t queued = 0;    // bytes, the batch being written among them
  int64_t appended = 0;  // rows
  bool ending = false, closed = false;
  std::exception_ptr error;
  std::thread thread;

  // Of the writing thread alone.
  int64_t written = 0, unsynced = 0;
  std::vector<uint16_t> halves;

  State(const std::string& file_path, const LogitShape& wanted) : path(file_path), shape(wanted) {}

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      const LogitRows rows = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      std::exception_ptr failure;
      try {
        write(rows);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      queued -= queued_bytes(rows);
      error = failure;
      changed.notify_all();
      if (failure) return;
    }
  }

  // A row counts as written once its sample id is there, so that comes last.
  void write(const LogitRows& rows) {
    require_finite(rows, rows.logits, shape.classes, "logit");
    require_finite(rows, rows.penultimate, shape.penultimate, "penultimate activation");
    if (shape.summary)
      write_summary(rows);
    else
      write_reals(layout.logits, rows, rows.logits, shape.classes, "logit");
    if (shape.penultimate > 0)
      write_reals(layout.penultimate, rows, rows.penultimate, shape.penultimate, "penultimate activation");
    file->write_rows(layout.labels, written, rows.rows, 8, rows.labels.data());
    if (shape.positions) file->write_rows(layout.positions, written, rows.rows, 4, rows.positions.data());
    file->write_rows(layout.sample_ids, written, rows.rows, 8, rows.sample_ids.data());
    written += rows.rows;
    unsynced += rows.rows * shard_row_bytes(shape);
    // Else everything would reach the disk in the sync at the end, for which the caller waits.
    if (unsynced >= sync_interval) {
      file->start_sync();
      unsynced = 0;
    }
  }

  void write_summary(const LogitRows& rows) {
    const SummaryRows& summary = rows.summary;
    const int64_t top = shape.summary->top;
    require_finite(rows, summary.top_logits, top, "greatest logit");
    const auto grid = static_cast<int64_t>(shape.summary->temperatures.size());
    file->write_rows(layout.log_sum_exp, written, rows.rows, 8 * grid, summary.log_sum_exp.data());
    file->write_rows(layout.label_logits, written, rows.rows, 4, summary.label_logits.data());
    file->write_rows(layout.top_logits, written, rows.rows, 4 * top, summary.top_logits.data());
    file->write_rows(layout.top_classes, written, rows.rows, 4 * top, summary.top_classes.data());
  }

  void write_reals(const std::vector<RowExtent>& extents, const LogitRows& rows,
                   const std::vector<float>& values, int64_t width, const char* name) {
    if (shape.precision == LogitPrecision::float32) {
      file->write_rows(extents, written, rows.rows, 4 * width, values.data());
      return;
    }
    halves.resize(values.size());
    floats_to_halves(values.data(), static_cast<int64_t>(values.size()), halves.data());
    for (size_t i = 0; i < halves.size(); ++i)
      if ((halves[i] & 0x7c00U) == 0x7c00U) refuse(rows, values, i, width, name, "too large for float16");
    file->write_rows(extents, written, rows.rows, 2 * width, halves.data());
  }

  void require_finite(const LogitRows& rows, const std::vector<float>& values, int64_t width,
                      const char* name) const {
    if (row_kernels().finite(values.data(), static_cast<int64_t>(values.size()))) return;
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) refuse(rows, values, i, width, name, "not finite");
  }

  [[noreturn]] void refuse(const LogitRows& rows, const std::vector<float>& values, size_t at, int64_t width,
                           const char* name, const char* fault) const {
    const auto row = at / static_cast<size_t>(width);
    const std::string problem =
        fmt::format("{} {} of sample {} is {}, {}", name, at % static_cast<size_t>(width),
                    rows.sample_ids[row], values[at], fault);
    if (std::isfinite(values[at])) throw UsageError(problem, path, "keep logits as float32");
    throw RunError(problem, path, "the run has diverged: lower its learning rate");
  }

  void require_shape(const LogitRows& rows) const {
    const auto n = static_cast<size_t>(rows.rows);
    const bool logits = shape.summary ? rows.logits.empty() && has_shape(rows.summary, *shape.summary, n)
                                      : rows.logits.size() == n * static_cast<size_t>(shape.classes);
    if (logits && rows.penultimate.size() == n * static_cast<size_t>(shape.penultimate) &&
        rows.labels.size() == n && rows.sample_ids.size() == n &&
        rows.positions.size() == (shape.positions ? n : 0))
      return;
    throw RunError(fmt::format("{} rows do not have the shape that the shard was made for", n), path,
                   "give K logits, L activations, a label and a sample id for each row");
  }

  /// Writes what is queued and ends the thread.
  void end() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
      changed.notify_all();
    }
    if (thread.joinable()) thread.join();
  }
};

LogitShardWriter::LogitShardWriter(const std::string& path, const LogitShape& shape,
                                   const LogitOrigin& origin,
                                   const std::shared_ptr<cluster::FileSystem>& files)
    : state_(std::make_unique<State>(path, shape)) {
  constexpr int64_t metadata = 65536;
  require_space(*files, path,
                shape.rows * shard_row_bytes(shape) + metadata + static_cast<int64_t>(origin.recipe.size()));
  UnfinishedFile shard(path);
  state_->layout = create_shard(path, shape, origin);
  state_->file = std::make_unique<ShardFile>(path);
  state_->file->reserve();
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  shard.finished();
}

LogitShardWriter::~LogitShardWriter() {
  state_->end();
}

void LogitShardWriter::append(LogitRows rows) {
  State& s = *state_;
  s.require_shape(rows);
  if (rows.rows == 0) return;
  std::unique_lock lock(s.mutex);
  if (s.appended + rows.rows > s.shape.rows)
    throw RunError(fmt::format("{} rows for a shard of {}", s.appended + rows.rows, s.shape.rows), s.path,
                   "make the shard as large as its part of the split");
  const int64_t bytes = queued_bytes(rows);
  s.changed.wait(lock, [&] { return s.error || s.queued == 0 || s.queued + bytes <= most_queued; });
  if (s.error) std::rethrow_exception(s.error);
  s.appended += rows.rows;
  s.queued += bytes;
  s.queue.push_back(std::move(rows));
  s.changed.notify_all();
}

void LogitShardWriter::classifier(std::vector<float> weight, std::vector<float> bias) {
  State& s = *state_;
  const auto classes = static_cast<size_t>(s.shape.classes);
  if (s.appended > 0 || bias.size() != classes || weight.empty() || weight.size() % classes != 0)
    throw RunError(fmt::format("templates of {} and {} values for {} classes, after {} rows", weight.size(),
                               bias.size(), classes, s.appended),
                   s.path, "give weight [K, L] and bias [K] before the first row");
  s.file->unlocked([&] { add_classifier(s.path, weight, bias); });
}

void LogitShardWriter::close(int64_t stand_ins) {
  State& s = *state_;
  if (s.closed) return;
  s.end();
  if (s.error) std::rethrow_exception(s.error);
  if (s.written != s.shape.rows)
    throw RunError(fmt::format("{} rows of {} were written", s.written, s.shape.rows), s.path,
                   "run the evaluation again");
  s.file->sync();
  s.file->unlocked([&] {
    if (stand_ins > 0) state_stand_ins(s.path, stand_ins);
    mark_complete(s.path);
  });
  s.file->sync();
  s.closed = true;
}

}  // namespace smoothlab::eval
