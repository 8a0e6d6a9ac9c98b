#include <fmt/format.h>

#include <algorithm>

#include "eval/printable.h"
#include "eval/text_table.h"
#include "eval/translation_scores.h"

namespace smoothlab::eval {
namespace {

std::string decimal(double value, const ScoreFormat& format) {
  return fmt::format("{:.{}f}", value, format.decimals);
}

std::string interval(const ResampledScore& resampled, const ScoreFormat& format) {
  return decimal(resampled.mean, format) + " ± " + decimal(resampled.half_width, format);
}

std::string score_line(const std::string& title, const SystemScore& score, const ScoreFormat& format) {
  std::string text = decimal(score.score, format);
  // A mean of 0 is not shown, as sacreBLEU does not show it.
  if (score.resampled && score.resampled->mean > 0)
    text += " (μ = " + interval(*score.resampled, format) + ")";
  if (format.score_only) return text + "\n";
  return title + " = " + text + (score.details.empty() ? "" : " " + score.details) + "\n";
}

std::string title_of(const MetricScores& metric) {
  return metric.name + "|" + metric.signature;
}

/// Titles end in one column, so that scores stand below each other.
std::string lines_of_one_system(const TranslationScores& scores, const ScoreFormat& format) {
  size_t widest = 0;
  for (const auto& metric : scores.metrics) widest = std::max(widest, title_of(metric).size());
  std::string text;
  for (const auto& metric : scores.metrics) {
    const std::string title = title_of(metric);
    text += score_line(std::string(widest - title.size(), ' ') + title, metric.systems.front(), format);
  }
  return text;
}

std::string lines_of_segments(const MetricScores& metric, const ScoreFormat& format) {
  std::string text;
  for (const auto& score : metric.segments.front()) text += score_line(title_of(metric), score, format);
  return text;
}

std::string table_of_systems(const TranslationScores& scores, const ScoreFormat& format) {
  const bool resampled = scores.metrics.front().systems.front().resampled.has_value();
  std::vector<TableLine> lines = {{"system"}};
  for (const auto& metric : scores.metrics) {
    lines[0].push_back(metric.name);
    if (resampled) {
      lines[0].push_back("μ ± 95 % CI");
      lines[0].push_back("p");
    }
  }
  for (size_t i = 0; i < scores.system_names.size(); ++i) {
    TableLine line = {(i == 0 ? "baseline: " : "") + printable(scores.system_names[i])};
    for (const auto& metric : scores.metrics) {
      const SystemScore& score = metric.systems[i];
      line.push_back(decimal(score.score, format));
      if (!resampled) continue;
      line.push_back(interval(*score.resampled, format));
      line.push_back(
          score.p_value ? fmt::format("{:.4f}{}", *score.p_value, *score.p_value > 0.05 ? " " : "*") : "");
    }
    lines.push_back(line);
  }
  std::string text = text_table(lines);
  if (resampled) text += "p: paired bootstrap against the baseline; * where it is 0.05 or less\n";
  for (const auto& metric : scores.metrics) text += title_of(metric) + "\n";
  return text;
}

/// A line a system, a column a metric.
std::string bare_scores_of_systems(const TranslationScores& scores, const ScoreFormat& format) {
  std::string text;
  for (size_t i = 0; i < scores.system_names.size(); ++i) {
    std::string line;
    for (const auto& metric : scores.metrics)
      line += (line.empty() ? "" : "\t") + decimal(metric.systems[i].score, format);
    text += line + "\n";
  }
  return text;
}

nlohmann::json to_json(const SystemScore& score) {
  nlohmann::json json = score.by_name;
  json["score"] = score.score;
  if (!score.details.empty()) json["verbose_score"] = score.details;
  return json;
}

}  // namespace

std::string to_text(const TranslationScores& scores, const ScoreFormat& format) {
  if (!scores.metrics.front().segments.empty()) return lines_of_segments(scores.metrics.front(), format);
  if (scores.system_names.size() == 1) return lines_of_one_system(scores, format);
  return format.score_only ? bare_scores_of_systems(scores, format) : table_of_systems(scores, format);
}

nlohmann::json to_json(const TranslationScores& scores) {
  nlohmann::json metrics = nlohmann::json::array();
  for (const auto& metric : scores.metrics) {
    nlohmann::json systems = nlohmann::json::array();
    for (size_t i = 0; i < metric.systems.size(); ++i) {
      const SystemScore& score = metric.systems[i];
      nlohmann::json json = to_json(score);
      json["system"] = scores.system_names[i];
      json["mean"] = json["ci95"] = json["p_value"] = nullptr;
      if (score.resampled) {
        json["mean"] = score.resampled->mean;
        json["ci95"] = score.resampled->half_width;
      }
      if (score.p_value) json["p_value"] = *score.p_value;
      if (i < metric.segments.size()) {
        json["sentences"] = nlohmann::json::array();
        for (const auto& segment : metric.segments[i]) json["sentences"].push_back(to_json(segment));
      }
      systems.push_back(json);
    }
    metrics.push_back({{"name", metric.name}, {"signature", metric.signature}, {"systems", systems}});
  }
  return {{"segments", scores.segments}, {"nrefs", scores.references}, {"metrics", metrics}};
}

}  // namespace smoothlab::eval
