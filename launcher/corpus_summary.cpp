#include "launcher/corpus_summary.h"

#include <fmt/format.h>

namespace smoothlab::launcher {
namespace {

double mean(int64_t sum, int64_t count) {
  return count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : 0;
}

std::string side_text(const std::string& language, const data::SideSummary& side, int64_t pairs) {
  return fmt::format("    {}: {} tokens, {:.1f} a sentence, at most {}; {:.4f} % unknown\n", language,
                     side.tokens, mean(side.tokens, pairs), side.longest,
                     100 * mean(side.unknown, side.tokens));
}

nlohmann::ordered_json side_json(const data::SideSummary& side, int64_t pairs) {
  return {{"tokens", side.tokens},
          {"mean", mean(side.tokens, pairs)},
          {"longest", side.longest},
          {"unknown", side.unknown},
          {"unknown_share", mean(side.unknown, side.tokens)}};
}

}  // namespace

std::string corpus_text(const std::string& folder, const data::CorpusManifest& manifest) {
  const auto& source = manifest.source_vocabulary;
  const auto& target = manifest.target_vocabulary;
  std::string text =
      fmt::format("{}: {} to {}\n", folder, manifest.source_language, manifest.target_language);
  if (manifest.joint())
    text += fmt::format("  {}: {} pieces for both\n", source.file, source.size);
  else
    text +=
        fmt::format("  {}: {} pieces\n  {}: {} pieces\n", source.file, source.size, target.file, target.size);
  for (const auto& split : manifest.splits) {
    text += fmt::format("  {}: {} pairs", split.name, split.kept);
    text += split.dropped.empty() ? "\n" : fmt::format(", {} dropped\n", split.dropped_in_all());
    text += side_text(manifest.source_language, split.source, split.kept);
    text += side_text(manifest.target_language, split.target, split.kept);
    for (const auto& dropped : split.dropped) {
      text += fmt::format("    dropped: {}: {} (", dropped.reason, dropped.count);
      for (size_t i = 0; i < dropped.first.size(); ++i) text += (i ? "; " : "") + dropped.first[i];
      text += dropped.count > static_cast<int64_t>(dropped.first.size()) ? "; …)\n" : ")\n";
    }
  }
  return text;
}

nlohmann::ordered_json corpus_json(const std::string& folder, const data::CorpusManifest& manifest) {
  nlohmann::ordered_json json;
  json["folder"] = folder;
  json["source_language"] = manifest.source_language;
  json["target_language"] = manifest.target_language;
  const auto vocabulary = [](const data::VocabularySummary& summary) -> nlohmann::ordered_json {
    return {{"file", summary.file}, {"size", summary.size}, {"sha256", summary.sha256}};
  };
  json["source_vocabulary"] = vocabulary(manifest.source_vocabulary);
  json["target_vocabulary"] = vocabulary(manifest.target_vocabulary);
  for (const auto& split : manifest.splits) {
    auto& entry = json["splits"][split.name];
    entry = {{"pairs", split.kept},
             {"source", side_json(split.source, split.kept)},
             {"target", side_json(split.target, split.kept)},
             {"dropped", nlohmann::ordered_json::array()}};
    for (const auto& dropped : split.dropped)
      entry["dropped"].push_back(
          {{"reason", dropped.reason}, {"pairs", dropped.count}, {"first", dropped.first}});
  }
  json["files"] = nlohmann::ordered_json::array();
  for (const auto& file : manifest.files)
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return json;
}

}  // namespace smoothlab::launcher
