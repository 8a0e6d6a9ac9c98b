#include "trainer/training_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cluster/error.h"

namespace smoothlab::trainer {

using nlohmann::ordered_json;

namespace {

ordered_json json_of(const std::optional<BestEvaluation>& best) {
  if (!best) return nullptr;
  return {{"metric", best->metric}, {"evaluation", to_json(best->evaluation)}};
}

std::optional<BestEvaluation> best_of(const ordered_json& json) {
  if (json.is_null()) return std::nullopt;
  return BestEvaluation{json.at("metric"), evaluation_of(json.at("evaluation"))};
}

}  // namespace

std::string changes_since(const TrainingState& state, int ranks, int threads) {
  const auto change = [](int now, const char* thing, int before) {
    return fmt::format("{} {}{} instead of {}", now, thing, now == 1 ? "" : "s", before);
  };
  std::vector<std::string> changes;
  if (state.ranks != ranks) changes.push_back(change(ranks, "rank", state.ranks));
  if (state.threads > 0 && state.threads != threads)
    changes.push_back(change(threads, "thread", state.threads));
  if (changes.empty()) return "";
  return fmt::format(" on {}: the same samples in the same steps, sums rounded otherwise",
                     fmt::join(changes, " and "));
}

std::string to_json(const TrainingState& state) {
  ordered_json windows = ordered_json::array();
  for (const auto& window : state.windows)
    windows.push_back({{"loss", window.loss}, {"correct", window.correct}, {"rows", window.rows}});
  const ordered_json json = {{"step", state.step},
                             {"ranks", state.ranks},
                             {"threads", state.threads},
                             {"seed", state.seed},
                             {"global_batch", state.global_batch},
                             {"samples", state.samples},
                             {"optimizer_steps", state.optimizer_steps},
                             {"average_updates", state.average_updates},
                             {"seconds", state.seconds},
                             {"evaluation_pending", state.evaluation_pending},
                             {"gradient_order", state.order},
                             {"metric_windows", windows},
                             {"best", json_of(state.best)}};
  return json.dump(2) + "\n";
}

TrainingState training_state_from_json(const std::string& text, const std::string& path) {
  try {
    const auto json = ordered_json::parse(text);
    TrainingState state;
    json.at("step").get_to(state.step);
    json.at("ranks").get_to(state.ranks);
    state.threads = json.value("threads", 0);
    json.at("seed").get_to(state.seed);
    json.at("global_batch").get_to(state.global_batch);
    state.samples = json.value("samples", "");
    json.at("optimizer_steps").get_to(state.optimizer_steps);
    json.at("average_updates").get_to(state.average_updates);
    json.at("seconds").get_to(state.seconds);
    state.evaluation_pending = json.value("evaluation_pending", false);
    json.at("gradient_order").get_to(state.order);
    for (const auto& entry : json.at("metric_windows")) {
      MetricWindow window;
      entry.at("loss").get_to(window.loss);
      entry.at("correct").get_to(window.correct);
      entry.at("rows").get_to(window.rows);
      state.windows.push_back(window);
    }
    state.best = best_of(json.value("best", ordered_json()));
    return state;
  } catch (const nlohmann::json::exception& error) {
    throw DataError(std::string("the state of a run cannot be read: ") + error.what(), path,
                    "remove this checkpoint to go on from the one before it");
  }
}

}  // namespace smoothlab::trainer
