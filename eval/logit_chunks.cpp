#include "eval/logit_chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/error.h"
#include "eval/row_kernels.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

/// A chunk's memory, used again for the next chunk.
struct Buffer {
  std::vector<float> logits;
  std::vector<int64_t> labels;
  LogitChunk chunk;

  void fill(const LogitFile& file, int64_t index) {
    const int64_t size = chunk_rows(file), classes = file.classes();
    logits.resize(static_cast<size_t>(size * classes));
    labels.resize(static_cast<size_t>(size));
    const int64_t first = index * size;
    chunk = {index, first, std::min(size, file.rows() - first), classes, logits.data(), labels.data()};
    file.read_logits(first, chunk.rows, logits.data());
    file.read_labels(first, chunk.rows, labels.data());
  }
};

/// Every worker reads its own chunks.
void stream_direct(const LogitFile& file, int64_t first, int64_t last, int threads,
                   const ChunkConsumer& consume, ValueCheck check) {
  std::vector<Buffer> buffers(static_cast<size_t>(threads));
  for_each_index(first, last, threads, [&](int worker, int64_t index) {
    Buffer& buffer = buffers[static_cast<size_t>(worker)];
    buffer.fill(file, index);
    if (check == ValueCheck::every_value) check_chunk(file.path(), buffer.chunk);
    consume(worker, buffer.chunk);
  });
}

/// Buffers between the one thread that reads through HDF5 and the workers.
class ReadAhead {
 public:
  explicit ReadAhead(int buffers) : buffers_(static_cast<size_t>(buffers)) {
    for (auto& buffer : buffers_) free_.push_back(&buffer);
  }
  /// Null after end().
  Buffer* take_free() { return take(free_); }
  Buffer* take_ready() { return take(ready_); }
  void give_free(Buffer* buffer) { give(free_, buffer); }
  void give_ready(Buffer* buffer) { give(ready_, buffer); }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  Buffer* take(std::deque<Buffer*>& queue) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || !queue.empty(); });
    if (queue.empty()) return nullptr;
    Buffer* buffer = queue.front();
    queue.pop_front();
    return buffer;
  }
  void give(std::deque<Buffer*>& queue, Buffer* buffer) {
    const std::lock_guard lock(mutex_);
    queue.push_back(buffer);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Buffer> buffers_;
  std::deque<Buffer*> free_, ready_;
  bool ended_ = false;
};

void stream_read_ahead(const LogitFile& file, int64_t first, int64_t last, int threads,
                       const ChunkConsumer& consume, ValueCheck check) {
  FirstFailure failure;
  ReadAhead queue(threads + 2);
  std::thread reader([&] {
    failure.guard([&] {
      for (int64_t index = first; index < last && !failure.failed(); ++index) {
        Buffer* buffer = queue.take_free();
        if (!buffer) break;
        buffer->fill(file, index);
        queue.give_ready(buffer);
      }
    });
    queue.end();
  });
  on_threads(threads, [&](int worker) {
    failure.guard([&] {
      while (Buffer* buffer = queue.take_ready()) {
        if (failure.failed()) break;
        if (check == ValueCheck::every_value) check_chunk(file.path(), buffer->chunk);
        consume(worker, buffer->chunk);
        queue.give_free(buffer);
      }
    });
    if (failure.failed()) queue.end();
  });
  reader.join();
  failure.rethrow();
}

}  // namespace

int64_t chunk_rows(const LogitFile& file) {
  return std::max<int64_t>(1, (int64_t{1} << 17) / file.classes());
}

int64_t chunk_count(const LogitFile& file) {
  return (file.rows() + chunk_rows(file) - 1) / chunk_rows(file);
}

void for_each_chunk(const LogitFile& file, int threads, const ChunkConsumer& consume, ValueCheck check) {
  for_each_chunk(file, 0, chunk_count(file), threads, consume, check);
}

void for_each_chunk(const LogitFile& file, int64_t first, int64_t last, int threads,
                    const ChunkConsumer& consume, ValueCheck check) {
  last = std::min(last, chunk_count(file));
  if (first >= last) return;
  const int useful = static_cast<int>(std::min<int64_t>(std::max(threads, 1), last - first));
  (file.direct() ? stream_direct : stream_read_ahead)(file, first, last, useful, consume, check);
}

void check_labels(const std::string& path, int64_t classes, int64_t first_row, int64_t rows,
                  const int64_t* labels) {
  for (int64_t i = 0; i < rows; ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      throw DataError(fmt::format("label {}{} of row {} is not in 0–{}", labels[i],
                                  labels[i] == INT64_MAX ? " (or more)" : "", first_row + i, classes - 1),
                      path, "labels are class numbers from 0");
}

void check_chunk(const std::string& path, const LogitChunk& chunk) {
  check_labels(path, chunk.classes, chunk.first_row, chunk.rows, chunk.labels);
  if (row_kernels().finite(chunk.logits, chunk.rows * chunk.classes)) return;
  for (int64_t i = 0; i < chunk.rows * chunk.classes; ++i)
    if (!std::isfinite(chunk.logits[i]))
      throw DataError(
          fmt::format("logit of row {}, class {} is {} as float32", chunk.first_row + i / chunk.classes,
                      i % chunk.classes, chunk.logits[i]),
          path,
          std::isnan(chunk.logits[i])
              ? "find out why the network gave it; a run that diverged has no calibration"
              : "store finite logits of at most 3.4e38, such as -1e4 for a class that is ruled out");
}

}  // namespace smoothlab::eval
