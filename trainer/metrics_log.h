#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::trainer {

/// A line about the steps since the one before it. Means are over all rows of all ranks.
struct TrainingMetrics {
  int64_t step = 0;      ///< steps done
  double epoch = 0;      ///< passes over the training set done
  double loss = 0;       ///< mean training loss a row, before loss_scale, in nats
  double accuracy = 0;   ///< of the (augmented) training rows, in [0, 1]
  double lr = 0;         ///< learning rate of the last step
  double grad_norm = 0;  ///< L2 norm of the last step's gradient, before clipping
  double seconds = 0;    ///< training time so far, all sittings
  double samples_per_second = 0;
  /// Of those seconds since the line before, what the host took to launch the steps, waiting for nothing;
  /// only on a device, where it goes on while the device computes.
  std::optional<double> host_seconds;
};

/// A line about one evaluation.
struct EvaluationMetrics {
  int64_t step = 0;
  std::string split;
  int64_t rows = 0;
  double accuracy = 0, top5_accuracy = 0, nll = 0, brier = 0, ece = 0;
  double seconds = 0;  ///< that the evaluation took
};

/// A line about the mutual information of a training example and the network's output, see
/// eval/mutual_information.h. In nats.
struct InformationMetrics {
  int64_t step = 0;
  std::string classes;  ///< "airplane, dog"
  int64_t examples = 0, draws = 0;
  double information = 0, bound = 0, floor = 0;
};

/// What a line of metrics.jsonl is about.
enum class MetricsLine { training, evaluation, information };
MetricsLine kind_of(const nlohmann::ordered_json& line);

/// As it stands in files and results. Numbers that JSON does not have are null, and come back as NaN.
nlohmann::ordered_json to_json(const EvaluationMetrics& metrics);
/// Throws what nlohmann::json throws where something is missing or of another type.
EvaluationMetrics evaluation_of(const nlohmann::ordered_json& json);

/// metrics.jsonl: one JSON object a line, in the order of their steps. Numbers are written so that reading
/// them gives the same bits; NaN and infinities are null, as JSON has none. Every line reaches the operating
/// system when it is written; sync() makes it outlast the machine.
class MetricsLog {
 public:
  /// Appends to what is there.
  MetricsLog(cluster::FileSystem& files, const std::string& path);
  ~MetricsLog();
  void write(const TrainingMetrics& metrics);
  void write(const EvaluationMetrics& metrics);
  void write(const InformationMetrics& metrics);
  void sync();

 private:
  std::unique_ptr<cluster::WritableFile> file_;
};

/// What a run has measured so far.
struct RunMetrics {
  std::vector<TrainingMetrics> training;
  std::vector<EvaluationMetrics> evaluations;
  std::vector<InformationMetrics> information;
};

/// All whole lines of a run's metrics.jsonl, which may still grow; nothing where there is no file. null is
/// NaN. Throws DataError that names the line where a whole line is no metric.
RunMetrics read_metrics(const cluster::FileSystem& files, const std::string& path);

/// Cuts off what was written after `step`, and a last line that was not finished: a resumed run writes these
/// lines again; so it does with what was seen of the network at `step` itself where that is pending. Throws
/// DataError that names the line where a whole line is no metric.
void truncate_metrics(cluster::FileSystem& files, const std::string& path, int64_t step,
                      bool evaluation_pending = false);

}  // namespace smoothlab::trainer
