#include "trainer/optimizer_segments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

/// Glob with * for any characters, over the whole name.
bool glob_matches(const char* pattern, const char* name) {
  if (*pattern == '\0') return *name == '\0';
  if (*pattern == '*')
    return glob_matches(pattern + 1, name) || (*name != '\0' && glob_matches(pattern, name + 1));
  return *pattern == *name && glob_matches(pattern + 1, name + 1);
}

bool belongs(const OptimizerOptions::Group& group, const std::string& name) {
  if (group.match.find('*') == std::string::npos)
    return name.compare(0, group.match.size(), group.match) == 0;
  return glob_matches(group.match.c_str(), name.c_str());
}

}  // namespace

std::vector<Segment> make_segments(const OptimizerOptions& options, const FlatParameters& parameters) {
  std::vector<bool> used(options.groups.size(), false);
  std::vector<Segment> segments;
  for (const int64_t index : parameters.layout().order()) {
    const auto& parameter = parameters.parameter(index);
    const int64_t begin = parameters.layout().offset(index);
    const bool decays = parameter.role == models::Role::weight || options.decay_norm_and_bias;
    Segment segment{begin, begin + parameters.layout().size(index), 1, decays ? options.weight_decay : 0};
    bool grouped = false;
    for (size_t g = 0; g < options.groups.size(); ++g) {
      if (!belongs(options.groups[g], parameter.name)) continue;
      used[g] = true;
      if (grouped) continue;
      grouped = true;
      segment.lr_scale = options.groups[g].lr_scale;
      if (options.groups[g].weight_decay >= 0) segment.weight_decay = options.groups[g].weight_decay;
    }
    if (!segments.empty() && segments.back().lr_scale == segment.lr_scale &&
        segments.back().weight_decay == segment.weight_decay)
      segments.back().end = segment.end;
    else
      segments.push_back(segment);
  }
  for (size_t g = 0; g < used.size(); ++g) {
    if (used[g]) continue;
    std::vector<std::string> names;
    for (int64_t i = 0; i < parameters.count(); ++i) names.push_back(parameters.parameter(i).name);
    throw UsageError(fmt::format("group '{}' matches no parameter", options.groups[g].match),
                     fmt::format("optimizer.groups[{}].match", g),
                     fmt::format("parameters are: {}", fmt::join(names, ", ")));
  }
  return segments;
}

}  // namespace smoothlab::trainer
