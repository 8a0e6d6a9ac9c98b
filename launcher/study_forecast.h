#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/stop_signal.h"
#include "launcher/run_state.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// What a stage has before it.
struct StageForecast {
  std::string stage;
  int64_t runs = 0, done = 0;               ///< of the selected
  int64_t least_steps = 0, most_steps = 0;  ///< of a run; 0: unknown
  double seconds_per_step = 0;              ///< 0: unknown
  bool by_trial = false;  ///< measured by a trial, on one rank; else by the stage's own runs
  bool taught = false;    ///< its runs have a teacher, whose time a trial leaves out
  std::string problem;    ///< why the trial could not be made
};

struct StudyForecast {
  std::vector<StageForecast> stages;
  /// Of training, `at_once` runs at a time; evaluations come on top.
  std::optional<double> seconds_left;
  int at_once = 1;
};

/// Stages of which no run has trained yet are tried for a few seconds each.
StudyForecast forecast(const StudyPlan& plan, const std::vector<size_t>& selected,
                       const std::vector<RunState>& states, const std::vector<int64_t>& steps, int at_once,
                       int threads, const cluster::StopSignal& stop);

std::string forecast_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                          const std::vector<RunState>& states, const std::vector<int64_t>& steps,
                          const StudyForecast& forecast);
nlohmann::ordered_json forecast_json(const StudyForecast& forecast);

}  // namespace smoothlab::launcher
