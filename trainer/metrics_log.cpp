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

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& path, int64_t line) {
  throw DataError("a line is not a metric", fmt::format("{}, line {}", path, line),
                  "remove the line, or the file, and resume the run");
}

/// A line as JSON with a step. Throws DataError.
Json parse_line(std::string_view text, const std::string& path, int64_t line) {
  Json parsed = Json::parse(text, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("step") || !parsed["step"].is_number_integer())
    refuse(path, line);
  return parsed;
}

/// Calls take(line, number, end) for each whole line, `end` being the offset behind it, until it says no.
template <typename Take>
void for_each_line(const std::string& text, const Take& take) {
  size_t begin = 0;
  for (int64_t number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) return;  // not finished
    if (!take(std::string_view(text).substr(begin, end - begin), number, end + 1)) return;
    begin = end + 1;
  }
}

double real(const Json& line, const char* name) {
  const Json& value = line.at(name);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

InformationMetrics information_of(const Json& line) {
  InformationMetrics m;
  m.step = line.at("step");
  m.classes = line.at("classes");
  m.examples = line.at("examples");
  m.draws = line.at("draws");
  m.information = real(line, "information");
  m.bound = real(line, "bound");
  m.floor = real(line, "floor");
  return m;
}

TrainingMetrics training_of(const Json& line) {
  TrainingMetrics m;
  m.step = line.at("step");
  m.epoch = real(line, "epoch");
  m.loss = real(line, "loss");
  m.accuracy = real(line, "accuracy");
  m.lr = real(line, "lr");
  m.grad_norm = real(line, "grad_norm");
  m.seconds = real(line, "seconds");
  m.samples_per_second = real(line, "samples_per_second");
  if (line.contains("host_seconds")) m.host_seconds = real(line, "host_seconds");
  return m;
}

}  // namespace

MetricsLine kind_of(const nlohmann::ordered_json& line) {
  if (line.contains("split")) return MetricsLine::evaluation;
  return line.contains("information") ? MetricsLine::information : MetricsLine::training;
}

nlohmann::ordered_json to_json(const EvaluationMetrics& m) {
  const auto real = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  return {{"step", m.step},
          {"split", m.split},
          {"rows", m.rows},
          {"accuracy", real(m.accuracy)},
          {"top5_accuracy", real(m.top5_accuracy)},
          {"nll", real(m.nll)},
          {"brier", real(m.brier)},
          {"ece", real(m.ece)},
          {"seconds", real(m.seconds)}};
}

EvaluationMetrics evaluation_of(const nlohmann::ordered_json& line) {
  EvaluationMetrics m;
  m.step = line.at("step");
  m.split = line.at("split");
  m.rows = line.at("rows");
  m.accuracy = real(line, "accuracy");
  m.top5_accuracy = real(line, "top5_accuracy");
  m.nll = real(line, "nll");
  m.brier = real(line, "brier");
  m.ece = real(line, "ece");
  m.seconds = real(line, "seconds");
  return m;
}

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

void MetricsLog::write(const InformationMetrics& m) {
  const std::string line = fmt::format(
      "{{\"step\": {}, \"classes\": {}, \"examples\": {}, \"draws\": {}, \"information\": {}, \"bound\": {}, "
      "\"floor\": {}}}\n",
      m.step, Json(m.classes).dump(), m.examples, m.draws, number(m.information), number(m.bound),
      number(m.floor));
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
  for_each_line(text, [&](std::string_view line, int64_t number, size_t end) {
    const Json at = parse_line(line, path, number);
    const int64_t of = at["step"];
    if (of > step || (evaluation_pending && of == step && kind_of(at) != MetricsLine::training)) return false;
    keep = end;
    return true;
  });
  if (keep < text.size()) files.truncate(path, keep);
}

RunMetrics read_metrics(const cluster::FileSystem& files, const std::string& path) {
  RunMetrics metrics;
  if (!files.exists(path)) return metrics;
  const std::string text = files.read(path);
  for_each_line(text, [&](std::string_view line, int64_t number, size_t) {
    const Json parsed = parse_line(line, path, number);
    try {
      switch (kind_of(parsed)) {
        case MetricsLine::evaluation:
          metrics.evaluations.push_back(evaluation_of(parsed));
          break;
        case MetricsLine::information:
          metrics.information.push_back(information_of(parsed));
          break;
        default:
          metrics.training.push_back(training_of(parsed));
      }
    } catch (const Json::exception&) {
      refuse(path, number);
    }
    return true;
  });
  return metrics;
}

}  // namespace smoothlab::trainer
