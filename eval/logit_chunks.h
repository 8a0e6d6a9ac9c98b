#pragma once

#include <cstdint>
#include <functional>

#include "eval/logit_file.h"

namespace smoothlab::eval {

/// A chunk of consecutive rows of a file that is read as a stream. Valid while it is being consumed.
struct LogitChunk {
  int64_t index = 0;      ///< number of the chunk; first_row / chunk_rows(file)
  int64_t first_row = 0;  ///< row in the file
  int64_t rows = 0;
  int64_t classes = 0;              ///< K
  const float* logits = nullptr;    ///< [rows, K], every one finite
  const int64_t* labels = nullptr;  ///< [rows], every one in 0 … K−1
};

/// Rows of every chunk but the last: about 512 KiB of logits, which stay in a core's own cache while they are
/// consumed. How a file is cut depends on its N and K alone,
/// not on layout, shards, ranks or threads: sums that are merged in chunk order are bitwise reproducible.
int64_t chunk_rows(const LogitFile& file);
int64_t chunk_count(const LogitFile& file);

/// Whether values are checked as they pass; `none` is for consumers that see to it.
enum class ValueCheck { every_value, none };

using ChunkConsumer = std::function<void(int worker, const LogitChunk& chunk)>;

/// Streams a whole file through `consume`, each chunk once, on `threads` ≥ 1 threads: worker 0 is the calling
/// thread. A worker gets one chunk at a time, chunks are taken in rising order. Holds no more than a chunk a
/// thread (and two read ahead where the file must be decoded by HDF5: compressed, big-endian, double…).
/// Throws DataError that names file, row and class of a logit that is NaN or infinite, or the row of a label
/// that is not in 0 … K−1; and what consume throws. May be called as often as a file must be passed over.
void for_each_chunk(const LogitFile& file, int threads, const ChunkConsumer& consume,
                    ValueCheck check = ValueCheck::every_value);

/// The same over some chunks only: those with index in [first, last).
void for_each_chunk(const LogitFile& file, int64_t first, int64_t last, int threads,
                    const ChunkConsumer& consume, ValueCheck check = ValueCheck::every_value);

/// Throws DataError for the first bad value of a chunk. `path` is what the message names.
void check_chunk(const std::string& path, const LogitChunk& chunk);

/// Throws DataError for the first of `labels` [rows] that is not in 0 … classes − 1.
void check_labels(const std::string& path, int64_t classes, int64_t first_row, int64_t rows,
                  const int64_t* labels);

}  // namespace smoothlab::eval
