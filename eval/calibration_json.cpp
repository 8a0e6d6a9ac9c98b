#include <cmath>

#include "eval/calibration_report.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;

/// What a summary does not tell is null.
json real(double value) {
  return std::isnan(value) ? json() : json(value);
}

json bins_json(const CalibrationMetrics& metrics) {
  const ReliabilityBins& bins = metrics.bins;
  json list = json::array();
  const auto width = static_cast<double>(bins.count.size());
  for (size_t b = 0; b < bins.count.size(); ++b) {
    const double n = bins.count[b];
    list.push_back({{"low", static_cast<double>(b) / width},
                    {"high", static_cast<double>(b + 1) / width},
                    {"count", static_cast<int64_t>(n)},
                    {"confidence", n > 0 ? json(bins.confidence[b] / n) : json()},
                    {"accuracy", n > 0 ? json(bins.correct[b] / n) : json()}});
  }
  return list;
}

void put(json& object, const std::string& suffix, const std::optional<CalibrationMetrics>& metrics) {
  const auto set = [&](const char* name, double CalibrationMetrics::*value) {
    object[name + suffix] = metrics ? real((*metrics).*value) : json();
  };
  set("nll", &CalibrationMetrics::nll);
  set("brier", &CalibrationMetrics::brier);
  set("ece", &CalibrationMetrics::ece);
  set("ece_standard", &CalibrationMetrics::ece_standard);
  set("ece_guo", &CalibrationMetrics::ece_guo);
  set("ece_torchmetrics", &CalibrationMetrics::ece_torchmetrics);
  set("ece_adaptive", &CalibrationMetrics::ece_adaptive);
  set("ece_classwise", &CalibrationMetrics::ece_classwise);
  set("ece_debiased", &CalibrationMetrics::ece_debiased);
  set("mce", &CalibrationMetrics::mce);
  object["ece_ci95" + suffix] =
      metrics && metrics->ece_ci95 ? json{metrics->ece_ci95->low, metrics->ece_ci95->high} : json();
  object["bins" + suffix] = metrics ? bins_json(*metrics) : json();
}

}  // namespace

json to_json(const CalibrationReport& report) {
  json object{{"file", report.file},
              {"rows", report.rows},
              {"classes", report.classes},
              {"edges", report.options.edges == BinEdges::guo ? "guo" : "standard"},
              {"bins_count", report.options.bins},
              {"bootstrap", report.options.bootstrap},
              {"seed", report.options.seed},
              {"resampled", report.samples_repeat ? "samples" : "rows"},
              {"accuracy", report.unscaled.accuracy},
              {"top5_accuracy", real(report.unscaled.top5_accuracy)},
              {"summary", report.summary},
              {"notes", report.notes}};
  put_stated(report.origin, object);
  put(object, "", report.unscaled);
  put(object, "_scaled", report.scaled);
  put(object, "_held_out", report.held_out);
  object["real_accuracy"] = report.real ? json(report.real->accuracy()) : json();
  object["real_images"] = report.real ? json(report.real->images) : json();
  object["temperature"] = report.fit ? json(report.fit->temperature) : json();
  object["temperature_end"] = report.fit ? json(fit_end_name(report.fit->end)) : json();
  object["equivalent_smoothing"] = json::array();
  for (const auto& [temperature, gamma] : report.gamma)
    object["equivalent_smoothing"].push_back({{"temperature", temperature}, {"gamma", gamma}});
  const auto mean = report.held_out_temperature();
  object["temperature_held_out"] = mean ? json(*mean) : json();
  object["temperatures_held_out"] = json();
  object["temperatures_held_out_end"] = json();
  if (report.held_out_fits) {
    object["temperatures_held_out"] = json::array();
    object["temperatures_held_out_end"] = json::array();
    for (const auto& fit : *report.held_out_fits) {
      object["temperatures_held_out"].push_back(fit.temperature);
      object["temperatures_held_out_end"].push_back(fit_end_name(fit.end));
    }
  }
  return object;
}

}  // namespace smoothlab::eval
