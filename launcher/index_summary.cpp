#include "launcher/index_summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace smoothlab::launcher {

std::string index_text(const std::string& folder, const data::PreparedImages& prepared) {
  std::string text = fmt::format("{}: {} classes\n", folder, prepared.facts.classes.size());
  for (size_t i = 0; i < prepared.facts.splits.size(); ++i) {
    const data::IndexedSplit& split = prepared.facts.splits[i];
    const auto& counts = prepared.class_counts[i];
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    text += fmt::format("  {}: {} images, {} to {} a class; {} in {}\n", split.name, split.count, *least,
                        *most, split.layout, split.source);
    for (const data::SkippedMembers& skipped : split.skipped) {
      text += fmt::format("    skipped: {}: {} (", skipped.reason, skipped.count);
      for (size_t n = 0; n < skipped.first.size(); ++n) text += (n ? "; " : "") + skipped.first[n];
      text += skipped.count > static_cast<int64_t>(skipped.first.size()) ? "; …)\n" : ")\n";
    }
  }
  return text;
}

nlohmann::ordered_json index_json(const std::string& folder, const data::PreparedImages& prepared) {
  nlohmann::ordered_json json;
  json["folder"] = folder;
  json["classes"] = prepared.facts.classes.size();
  for (size_t i = 0; i < prepared.facts.splits.size(); ++i) {
    const data::IndexedSplit& split = prepared.facts.splits[i];
    const auto& counts = prepared.class_counts[i];
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    auto& entry = json["splits"][split.name];
    entry = {{"source", split.source},
             {"layout", split.layout},
             {"images", split.count},
             {"least_a_class", *least},
             {"most_a_class", *most},
             {"fingerprint", split.fingerprint},
             {"skipped", nlohmann::ordered_json::array()}};
    for (const data::SkippedMembers& skipped : split.skipped)
      entry["skipped"].push_back(
          {{"reason", skipped.reason}, {"members", skipped.count}, {"first", skipped.first}});
  }
  json["complete"] = prepared.deviations.empty();
  json["deviations"] = prepared.deviations;
  json["already_there"] = prepared.already_there;
  json["resumed_parts"] = prepared.resumed_parts;
  return json;
}

}  // namespace smoothlab::launcher
