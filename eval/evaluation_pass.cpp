#include "eval/evaluation_pass.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/error.h"
#include "cluster/host_copy.h"
#include "data/batch_stream.h"
#include "data/damaged_images.h"
#include "eval/row_kernels.h"

namespace smoothlab::eval {
namespace {

/// Gives the network's parameters the precision of the pass for as long as it lives.
class PassPrecision {
 public:
  PassPrecision(models::Network& network, at::ScalarType type) {
    for (auto& parameter : network.parameters()) {
      if (parameter.keep_float32 || parameter.value.scalar_type() == type) continue;
      kept_.emplace_back(&parameter, parameter.value);
      parameter.value = parameter.value.detach().to(type);
    }
  }
  ~PassPrecision() {
    for (auto& [parameter, value] : kept_) parameter->value = std::move(value);
  }
  PassPrecision(const PassPrecision&) = delete;
  PassPrecision& operator=(const PassPrecision&) = delete;

 private:
  std::vector<std::pair<models::Parameter*, at::Tensor>> kept_;
};

/// Tokens stay integers.
std::vector<at::Tensor> inputs_for(const std::vector<at::Tensor>& inputs, c10::Device device,
                                   const EvaluationOptions& options) {
  std::vector<at::Tensor> prepared;
  for (at::Tensor input : inputs) {
    if (input.is_floating_point()) {
      input = input.to(device, options.bf16 ? at::kBFloat16 : at::kFloat);
      if (options.channels_last && input.dim() == 4) input = input.contiguous(at::MemoryFormat::ChannelsLast);
    } else {
      input = input.to(device);
    }
    prepared.push_back(std::move(input));
  }
  return prepared;
}

at::Tensor on_host(const at::Tensor& rows) {
  return rows.to(at::kCPU, at::kFloat).contiguous();
}

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const T* values = tensor.data_ptr<T>();
  return {values, values + tensor.numel()};
}

void require_finite(const at::Tensor& logits, const data::Batch& batch) {
  const auto* values = logits.data_ptr<float>();
  if (row_kernels().finite(values, logits.numel())) return;
  const int64_t bad =
      std::find_if(values, values + logits.numel(), [](float x) { return !std::isfinite(x); }) - values;
  const int64_t row = bad / logits.size(1);
  throw RunError(fmt::format("the network gives {} as logit {}", values[bad], bad % logits.size(1)),
                 fmt::format("sample {}", batch.sample_ids.data_ptr<int64_t>()[row]),
                 "the run has diverged: use an earlier checkpoint or a lower learning rate");
}

/// This rank's shard of the logit file.
class LogitSink {
 public:
  LogitSink(models::Network& network, const data::EvaluationStream& stream, bool positions,
            const data::Dataset& dataset, cluster::Communicator& communicator,
            const EvaluationOptions& options)
      : communicator_(communicator),
        files_(options.files),
        path_(options.logits),
        keep_penultimate_(options.keep_penultimate && !options.summary) {
    const std::string tag = communicator.broadcast_text(new_shard_tag(), 0);
    for (int rank = 0; rank < communicator.size(); ++rank)
      shards_.push_back(shard_path(path_, tag, rank, communicator.size()));
    const auto folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) files_->make_folders(folder.string());
    LogitOrigin origin = options.origin;
    origin.ranks = communicator.size();
    origin.class_names = dataset.class_names();
    origin.samples_digest = dataset.fingerprint();
    LogitShape shape{stream.rows(), network.classes(), keep_penultimate_ ? network.penultimate_size() : 0,
                     positions,     options.precision, std::nullopt};
    if (options.summary) shape.summary = summary_ = summary_shape(network.classes());
    const std::string& shard = shards_[static_cast<size_t>(communicator.rank())];
    std::exception_ptr failure;
    try {
      writer_ = std::make_unique<LogitShardWriter>(shard, shape, origin, files_);
      started_ = std::filesystem::last_write_time(shard);
      if (communicator.is_root() && !summary_) {
        const models::Classifier classifier = network.classifier();
        writer_->classifier(values_of<float>(on_host(classifier.weight)),
                            values_of<float>(on_host(classifier.bias)));
      }
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    if (communicator.agree_any(failure != nullptr)) give_up(shard, failure);
  }

  bool keeps_penultimate() const { return keep_penultimate_; }

  /// logits, penultimate: float32, dense, on the CPU.
  void append(const data::Batch& batch, const at::Tensor& logits, const at::Tensor& penultimate) {
    LogitRows stored;
    stored.rows = logits.size(0);
    if (summary_)
      stored.summary = summarise(logits.data_ptr<float>(), batch.labels.data_ptr<int64_t>(), stored.rows,
                                 logits.size(1), *summary_);
    else
      stored.logits = values_of<float>(logits);
    if (keep_penultimate_) stored.penultimate = values_of<float>(penultimate);
    stored.labels = values_of<int64_t>(batch.labels);
    stored.sample_ids = values_of<int64_t>(batch.sample_ids);
    if (batch.positions.defined()) stored.positions = values_of<int32_t>(batch.positions);
    writer_->append(std::move(stored));
  }

  /// Collective. A rank that failed never gets here, so that nothing is published without all shards.
  /// stand_ins: rows of all ranks that are of images in the place of damaged ones.
  void publish(int64_t stand_ins) {
    writer_->close(stand_ins);
    communicator_.barrier();
    if (communicator_.is_root()) publish_logit_file(*files_, path_, shards_, started_);
    communicator_.barrier();
  }

 private:
  /// Where one rank has no room for its shard, no rank leaves one.
  void give_up(const std::string& shard, const std::exception_ptr& failure) {
    writer_.reset();
    files_->remove_all(shard);
    communicator_.barrier();
    if (failure) std::rethrow_exception(failure);
    communicator_.barrier();  // with nobody: the rank that failed ends the job, and it is the one to speak
  }

  cluster::Communicator& communicator_;
  std::shared_ptr<cluster::FileSystem> files_;
  std::string path_;
  bool keep_penultimate_;
  std::optional<SummaryShape> summary_;
  std::vector<std::string> shards_;
  std::filesystem::file_time_type started_;
  std::unique_ptr<LogitShardWriter> writer_;  // alive until all is published, so that nobody takes its shard
};

int64_t sum_over_ranks(int64_t count, cluster::Communicator& communicator) {
  auto sum = static_cast<double>(count);
  communicator.allreduce(at::from_blob(&sum, {1}, at::kDouble), cluster::Reduction::sum);
  return static_cast<int64_t>(sum);
}

/// Batches whose rows are still on their way to the host.
struct UnderWay {
  data::Batch batch;
  cluster::HostCopy rows;  ///< logits, penultimate activations or nothing
};

/// "evaluating: 1200 of 5000 rows, 800 rows/s, 5 s left".
class PassProgress {
 public:
  PassProgress(cluster::Log& log, int64_t total) : log_(log), total_(total) {}
  void add(int64_t rows) {
    done_ += rows;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    const double rate = static_cast<double>(done_) / std::max(1e-9, passed.count());
    log_.progress(fmt::format("evaluating: {} of {} rows, {:.0f} rows/s, {:.0f} s left", done_, total_, rate,
                              static_cast<double>(total_ - done_) / rate));
  }

 private:
  cluster::Log& log_;
  int64_t total_, done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

CalibrationSums evaluate(models::Network& network, const std::shared_ptr<const data::Dataset>& dataset,
                         cluster::Communicator& communicator, const cluster::Placement& placement,
                         const EvaluationOptions& options, cluster::Log& log) {
  const c10::NoGradGuard no_gradients;
  const PassPrecision precision(network, options.bf16 ? at::kBFloat16 : at::kFloat);
  data::EvaluationStreamOptions how;
  how.batch = options.batch;
  how.workers = options.workers > 0 ? options.workers : data::loading_workers(*dataset, placement);
  how.slice = {communicator.rank(), communicator.size()};
  how.device = placement.device;
  how.input_type = options.bf16 ? at::kBFloat16 : at::kFloat;
  data::EvaluationStream stream(dataset, how);
  if (stream.total_rows() == 0)
    throw DataError("there is nothing to evaluate", "a split without samples", "choose another split");

  data::Batch batch;
  bool more = stream.next(batch);
  std::unique_ptr<LogitSink> sink;
  if (!options.logits.empty()) {
    // A rank without samples does not see whether there are positions.
    const bool positions = communicator.agree_any(more && batch.positions.defined());
    sink = std::make_unique<LogitSink>(network, stream, positions, *dataset, communicator, options);
  }
  CalibrationSums sums;
  int64_t stand_ins = 0;
  PassProgress progress(log, stream.rows());
  // On a device the next batch is launched before the rows of the last one are waited for.
  const size_t most_under_way = placement.device.is_cpu() ? 0 : 1;
  std::deque<UnderWay> under_way;
  const auto take_in = [&] {
    UnderWay& oldest = under_way.front();
    const auto& rows = oldest.rows.wait();
    const at::Tensor& logits = rows[0];
    require_finite(logits, oldest.batch);
    accumulate_calibration(logits.data_ptr<float>(), oldest.batch.labels.data_ptr<int64_t>(), logits.size(0),
                           logits.size(1), 1.0, sums);
    if (options.rows)
      options.rows(logits.data_ptr<float>(), oldest.batch.labels.data_ptr<int64_t>(), logits.size(0));
    if (sink) sink->append(oldest.batch, logits, rows[1]);
    progress.add(logits.size(0));
    under_way.pop_front();
  };
  for (; more; more = stream.next(batch)) {
    models::ForwardContext context;
    context.sample_ids = batch.sample_ids;
    stand_ins += batch.stand_ins;
    const models::Rows rows = network.forward(inputs_for(batch.inputs, placement.device, options), context);
    const bool penultimate = sink && sink->keeps_penultimate();
    under_way.push_back(
        {batch, cluster::HostCopy({rows.logits.to(at::kFloat),
                                   penultimate ? rows.penultimate.to(at::kFloat) : at::Tensor()})});
    if (under_way.size() > most_under_way) take_in();
  }
  while (!under_way.empty()) take_in();
  log.progress_done();
  data::settle_damaged(*dataset, communicator, log);
  stand_ins = sum_over_ranks(stand_ins, communicator);
  if (stand_ins > 0 && communicator.is_root())
    log.warning("evaluated rows of images that stand in for damaged ones: {}", stand_ins);
  if (sink) sink->publish(stand_ins);

  std::vector<double> packed = sums.pack();
  communicator.allreduce(at::from_blob(packed.data(), {static_cast<int64_t>(packed.size())}, at::kDouble),
                         cluster::Reduction::sum);
  sums.unpack(packed);
  return sums;
}

}  // namespace smoothlab::eval
