#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>

#include "cluster/device.h"
#include "data/batch_order.h"
#include "data/dataset.h"

namespace smoothlab::data {

/// Which part of the work is this rank's.
struct Slice {
  int rank = 0, ranks = 1;
};

/// Threads that load a data set well beside a rank that computes at `placement`: one, but as many as the rank
/// has where samples are slow to load and a device does the computing.
int loading_workers(const Dataset& dataset, const cluster::Placement& placement);

struct TrainingStreamOptions {
  uint64_t seed = 1;
  BatchSize global_batch;
  /// Most samples in one forward pass of a rank, or about as many padded tokens where these are counted; 0:
  /// the rank's whole slice.
  int64_t micro_batch = 0;
  Slice slice;
  int workers = 1;         ///< threads that collate
  int prefetch = 2;        ///< micro-batches kept ready, on the device too
  int64_t first_step = 0;  ///< where a resumed run goes on
  int64_t draws = 0;       ///< epoch e is augmented as epoch e mod draws was; 0: each anew
  std::shared_ptr<const CompanionRows> companion;  ///< of the samples as they are augmented; null: none
  c10::Device device{c10::DeviceType::CPU};        ///< where inputs and device_labels are
  at::ScalarType input_type = at::kFloat;          ///< of inputs that are floating-point numbers
};

/// One micro-batch of one step.
struct MicroBatch {
  Batch batch;
  int64_t step = 0;
  bool last = false;  ///< last micro-batch of its step on this rank
};

/// The training samples of this rank, step after step, collated off the calling thread and brought to the
/// device on a stream of their own. The sequence of global batches is BatchOrder's. Rank r takes a contiguous
/// slice of each. A rank may get an empty slice, or an empty part of one, when there are more ranks or parts
/// than samples: batch.rows() == 0. A step has equally many parts on all ranks.
class TrainingStream {
 public:
  TrainingStream(std::shared_ptr<const Dataset> dataset, const TrainingStreamOptions& options);
  ~TrainingStream();
  /// On a device, the stream that is current on the calling thread waits for the copies, the host does not:
  /// use the tensors on that stream, and do not call it while capturing that stream. Throws what loading
  /// threw, on the calling thread.
  MicroBatch next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct EvaluationStreamOptions {
  int64_t batch = 128;
  Slice slice;
  int workers = 1;
  int prefetch = 2;
  c10::Device device{c10::DeviceType::CPU};  ///< where inputs and device_labels are
  at::ScalarType input_type = at::kFloat;    ///< of inputs that are floating-point numbers
};

/// Every sample of a split exactly once over all ranks. Batches are cut once for all rank counts, and a rank
/// takes a contiguous run of whole batches: what a row is computed with never depends on the rank count.
class EvaluationStream {
 public:
  EvaluationStream(std::shared_ptr<const Dataset> dataset, const EvaluationStreamOptions& options);
  ~EvaluationStream();
  /// False at the end. Streams of a device as in TrainingStream::next().
  bool next(Batch& batch);
  /// Rows that this rank will yield, and rows of the ranks before it.
  int64_t rows() const;
  int64_t first_row() const;
  int64_t total_rows() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::data
