#include "trainer/metrics_log.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

// fmt's shortest form that reads back as the same double.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

struct Line {
  int64_t step = -1;  ///< −1: no metric
  bool evaluation = false;
};

Line parse_line(std::string_view text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("step") || !parsed["step"].is_number_integer()) return {};
  return {parsed["step"].get<int64_t>(), parsed.contains("split")};
}

}  // namespace

MetricsLog::MetricsLog(cluster::FileSystem& files, const std::string& path) : file_(files.append(path)) {}

MetricsLog::~MetricsLog() = default;

void MetricsLog::write(const TrainingMetrics& m) {
  const std::string host = m.host_seconds ? fmt::format(", \"host_seconds\": {:.4f}", *m.host_seconds) : "";
  const std::string line = fmt::format(
      "{{\"step\": {}, \"epoch\": {}, \"loss\": {}, \"accuracy\": {}, \"lr\": {}, \"grad_norm\": {}, "
      "\"seconds\": {:.3f}, \"samples_per_second\": {:.1f}{}}}\n",
      m.step, number(m.epoch), number(m.loss), number(m.accuracy), number(m.lr), number(m.grad_norm),
      m.seconds, m.samples_per_second, host);
  file_->write(line.data(), line.size());
}

void MetricsLog::write(const EvaluationMetrics& m) {
  const std::string line = fmt::format(
      "{{\"step\": {}, \"split\": {}, \"rows\": {}, \"accuracy\": {}, \"top5_accuracy\": {}, \"nll\": {}, "
      "\"brier\": {}, \"ece\": {}, \"seconds\": {:.3f}}}\n",
      m.step, nlohmann::json(m.split).dump(), m.rows, number(m.accuracy), number(m.top5_accuracy),
      number(m.nll), number(m.brier), number(m.ece), m.seconds);
  file_->write(line.data(), line.size());
}

void MetricsLog::sync() {
  file_->sync();
}

void truncate_metrics(cluster::FileSystem& files, const std::string& path, int64_t step,
                      bool evaluation_pending) {
  if (!files.exists(path)) return;
  const std::string text = files.read(path);
  size_t keep = 0;
  for (int64_t line = 1; keep < text.size(); ++line) {
    const size_t end = text.find('\n', keep);
    if (end == std::string::npos) break;  // not finished
    const Line at = parse_line(std::string_view(text).substr(keep, end - keep));
    if (at.step < 0)
      throw DataError("a line is not a metric", fmt::format("{}, line {}", path, line),
                      "remove the line, or the file, and resume again");
    if (at.step > step || (evaluation_pending && at.step == step && at.evaluation)) break;
    keep = end + 1;
  }
  if (keep < text.size()) files.truncate(path, keep);
}

}  // namespace smoothlab::trainer
