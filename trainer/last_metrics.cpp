#include "trainer/last_metrics.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace smoothlab::trainer {
namespace {

void take(std::string_view line, LastMetrics& last) {
  try {
    const auto json = nlohmann::ordered_json::parse(line);
    const MetricsLine kind = kind_of(json);
    if (kind == MetricsLine::evaluation && !last.evaluation) last.evaluation = evaluation_of(json);
    if (kind == MetricsLine::training && last.step == 0) {
      last.seconds = json.at("seconds");
      last.samples_per_second = json.at("samples_per_second");
      last.step = json.at("step");
    }
  } catch (const nlohmann::json::exception&) {
    // Resuming the run names such a line; here there is another one before it.
  }
}

}  // namespace

LastMetrics last_metrics(const cluster::FileSystem& files, const std::string& path) {
  LastMetrics last;
  if (!files.exists(path)) return last;
  const std::string text = files.read(path);
  // A run that was never evaluated has one kind of line only; some thousands of them say so.
  int lines = 0;
  for (size_t end = text.rfind('\n'); end != std::string::npos && end > 0 && lines < 4000; ++lines) {
    const size_t before = text.rfind('\n', end - 1);
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    take(std::string_view(text).substr(begin, end - begin), last);
    if (last.step > 0 && last.evaluation) break;
    end = before;
  }
  return last;
}

}  // namespace smoothlab::trainer
