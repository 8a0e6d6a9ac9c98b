#include "launcher/sweep_curves.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/paper_recipes.h"

namespace smoothlab::launcher {
namespace {

bool differ_in_seed_alone(const trainer::Recipe& a, const trainer::Recipe& b) {
  return a.model.name == b.model.name && a.targets.alpha == b.targets.alpha &&
         (a.targets.alpha == 0 || a.targets.convention == b.targets.convention) &&
         a.train.seed != b.train.seed && trainer::shaping_values(a) == trainer::shaping_values(b);
}

/// The runs of each curve, in the order in which they come.
std::vector<std::vector<size_t>> groups(const std::vector<trainer::Recipe>& recipes) {
  std::vector<std::vector<size_t>> all;
  for (size_t run = 0; run < recipes.size(); ++run) {
    const auto takes = [&](const std::vector<size_t>& members) {
      return std::all_of(members.begin(), members.end(),
                         [&](size_t member) { return differ_in_seed_alone(recipes[member], recipes[run]); });
    };
    const auto found = std::find_if(all.begin(), all.end(), takes);
    if (found == all.end())
      all.push_back({run});
    else
      found->push_back(run);
  }
  return all;
}

}  // namespace

std::vector<eval::SweptRuns> sweep_curves(const std::vector<std::string>& folders,
                                          const std::vector<trainer::Recipe>& recipes,
                                          const std::vector<eval::TemperatureSweep>& sweeps) {
  const auto all = groups(recipes);
  const auto alpha = [&](const std::vector<size_t>& runs) { return recipes[runs.front()].targets.alpha; };
  std::vector<eval::SweptRuns> curves;
  for (const auto& runs : all) {
    eval::SweptRuns curve{fmt::format("α = {:g}", alpha(runs)), static_cast<int>(curves.size()), {}};
    for (const size_t run : runs) curve.sweeps.push_back(&sweeps[run]);
    const auto same =
        std::count_if(all.begin(), all.end(), [&](const auto& other) { return alpha(other) == alpha(runs); });
    if (same > 1) curve.name += ", " + folders[runs.front()];
    curves.push_back(curve);
  }
  return curves;
}

}  // namespace smoothlab::launcher
