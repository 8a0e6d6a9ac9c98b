#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/nearest_name.h"
#include "cluster/stop_signal.h"
#include "eval/output_file.h"
#include "launcher/each_file.h"
#include "launcher/local_backend.h"
#include "launcher/options.h"
#include "launcher/packed_backend.h"
#include "launcher/study_forecast.h"
#include "launcher/study_pace.h"
#include "launcher/study_results.h"
#include "launcher/study_runner.h"
#include "launcher/study_status.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

/// A study, and what of it the command line is about.
struct Request {
  StudyPlan plan;
  std::vector<size_t> selected;
  LocalOptions local;
  size_t packed = 0;  ///< 0: a process for each run
  bool json = false;
  int at_once() const { return packed > 0 ? static_cast<int>(packed) : local.jobs; }
};

void print_json(const Json& json) {
  std::cout << printed(json) << std::endl;
}

int dry_run(const Request& request, const cluster::FileSystem& files) {
  const cluster::StopSignal stop;
  const auto states = states_of(files, request.plan);
  refuse_changed(request.plan, request.selected, states);
  const auto steps = steps_of_runs(request.plan);
  const auto ahead = forecast(request.plan, request.selected, states, steps, request.at_once(),
                              threads_of_rank(request.local), stop);
  if (stop.requested() != cluster::StopRequest::none)
    return static_cast<int>(stop.requested() == cluster::StopRequest::requeue ? ExitCode::requeue
                                                                              : ExitCode::done);
  if (request.json) {
    Json json = status_json(request.plan, request.selected, states, steps);
    json["forecast"] = forecast_json(ahead);
    print_json(json);
  } else {
    std::cout << forecast_text(request.plan, request.selected, states, steps, ahead) << std::flush;
  }
  return 0;
}

Json to_json(const Request& request, const StudyOutcome& outcome) {
  Json done = Json::array(), stopped = Json::array(), failed = Json::array(), skipped = Json::array();
  for (size_t k = 0; k < request.selected.size(); ++k) {
    const std::string& name = request.plan.runs[request.selected[k]].name;
    if (outcome.fates[k] == RunFate::whole || outcome.fates[k] == RunFate::done) done.push_back(name);
    if (outcome.fates[k] == RunFate::stopped) stopped.push_back(name);
    if (outcome.fates[k] == RunFate::failed)
      failed.push_back({{"run", name}, {"error", outcome.problems[k]}});
    if (outcome.fates[k] == RunFate::skipped)
      skipped.push_back({{"run", name}, {"because", outcome.problems[k]}});
  }
  return {{"study", request.plan.name},
          {"folder", request.plan.folder},
          {"runs", request.selected.size()},
          {"trained", std::count(outcome.fates.begin(), outcome.fates.end(), RunFate::done)},
          {"done", done},
          {"stopped", stopped},
          {"failed", failed},
          {"skipped", skipped}};
}

std::string to_text(const Request& request, const StudyOutcome& outcome) {
  const auto count = [&](RunFate fate) {
    return std::count(outcome.fates.begin(), outcome.fates.end(), fate);
  };
  std::string text = fmt::format("{}: {} of {} runs done", request.plan.name,
                                 count(RunFate::whole) + count(RunFate::done), outcome.fates.size());
  if (count(RunFate::done) > 0) text += fmt::format(" ({} in this sitting)", count(RunFate::done));
  if (count(RunFate::failed) > 0) text += fmt::format(", {} failed", count(RunFate::failed));
  if (count(RunFate::skipped) > 0) text += fmt::format(", {} skipped", count(RunFate::skipped));
  if (count(RunFate::stopped) > 0)
    text += fmt::format(", {} to go on with when the study is run again", count(RunFate::stopped));
  text += "\n";
  for (size_t k = 0; k < request.selected.size(); ++k)
    if (!outcome.problems[k].empty())
      text += fmt::format("  {} {}: {}\n", request.plan.runs[request.selected[k]].name,
                          outcome.fates[k] == RunFate::failed ? "failed" : "skipped", outcome.problems[k]);
  return text;
}

int run(const Request& request, cluster::FileSystem& files) {
  const cluster::StopSignal stop;
  cluster::Log log(0);
  std::unique_ptr<RunBackend> backend;
  if (request.packed > 0)
    backend = std::make_unique<PackedBackend>(request.packed, request.local.threads, files, stop);
  else
    backend = std::make_unique<LocalBackend>(request.local, files);
  const auto outcome =
      run_study(request.plan, request.selected, request.at_once(), *backend, files, log, stop);
  if (request.json)
    print_json(to_json(request, outcome));
  else
    std::cout << to_text(request, outcome) << std::flush;
  const bool left = std::count(outcome.fates.begin(), outcome.fates.end(), RunFate::stopped) > 0;
  // What failed is tried, and told, again then.
  if (left && outcome.request == cluster::StopRequest::requeue) return static_cast<int>(ExitCode::requeue);
  if (outcome.failure) return static_cast<int>(outcome.failure->code());
  const bool again = outcome.request == cluster::StopRequest::requeue || outcome.stopped_elsewhere;
  return static_cast<int>(again ? ExitCode::requeue : ExitCode::done);
}

int status(const Request& request, const cluster::FileSystem& files, bool watch) {
  if (watch && !isatty(STDOUT_FILENO))
    throw UsageError("--watch draws on a terminal, and stdout is none", "--watch", "leave it out");
  const auto steps = steps_of_runs(request.plan);
  for (;;) {
    const auto states = states_of(files, request.plan);
    if (request.json) {
      print_json(status_json(request.plan, request.selected, states, steps));
      return 0;
    }
    const std::string text = status_text(request.plan, request.selected, states, steps);
    std::cout << (watch ? "\033[H\033[2J" : "") << text << std::flush;
    const bool done = std::all_of(request.selected.begin(), request.selected.end(),
                                  [&](size_t i) { return states[i].phase == RunPhase::done; });
    if (!watch || done) return 0;
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

/// "results.csv" and, of groups over seeds, "results-groups.csv".
std::string groups_path(const std::string& csv) {
  const std::filesystem::path path(csv);
  return (path.parent_path() / (path.stem().string() + "-groups" + path.extension().string())).string();
}

int collect(const Request& request, cluster::FileSystem& files, const std::string& csv) {
  if (!csv.empty())
    eval::claim_outputs({{csv, eval::OutputKind::csv}, {groups_path(csv), eval::OutputKind::csv}},
                        {request.plan.path});
  const auto states = states_of(files, request.plan);
  if (!csv.empty()) {
    cluster::write_file_whole(files, csv, runs_csv(request.plan, request.selected, states));
    cluster::write_file_whole(files, groups_path(csv), groups_csv(request.plan, request.selected, states));
  }
  if (request.json)
    print_json(results_json(request.plan, request.selected, states));
  else
    std::cout << results_text(request.plan, request.selected, states) << std::flush;
  return 0;
}

Request read_request(const Options& options, bool runs) {
  Request request;
  request.local.jobs = static_cast<int>(options.integer("jobs", 1, 4096));
  request.local.ranks = static_cast<int>(options.integer("ranks", 1, 65536));
  if (options.has("threads")) request.local.threads = static_cast<int>(options.integer("threads", 1, 4096));
  if (options.has("packed")) request.packed = static_cast<size_t>(options.integer("packed", 1, 4096));
  if (request.packed > 0 && (request.local.jobs > 1 || request.local.ranks > 1))
    throw UsageError("--packed trains its runs in one process on one rank", "study",
                     "leave --jobs and --ranks out, or --packed");
  request.json = options.has("json");
  request.plan = plan_study(read_study(options.words()[0]), options.text("runs"));
  request.selected = select_runs(request.plan, options.text("only"), runs);
  return request;
}

}  // namespace

int study_verb(const std::vector<std::string>& arguments) {
  Options options(
      "study STUDY [run|status|collect] [--jobs N] [--runs DIR] [--only GLOB] [--dry-run]",
      "Trains the runs that a study file lists: grids over keys of recipes, in stages that come\n"
      "after each other. What is whole is not trained again, what was stopped goes on, and a run\n"
      "that fails leaves the others alone. status tells how far they are, collect what they came\n"
      "to, as mean and standard deviation over seeds.");
  options.value("jobs", "N", "runs that train at a time, each in a process of its own", "1")
      .value("packed", "N", "instead: so many side by side in one process, for small networks on one GPU")
      .value("ranks", "N", "ranks of each run", "1")
      .value("threads", "N", "CPU threads a rank; without it the cores are shared by jobs and ranks")
      .value("runs", "DIR", "folder of the runs, in place of the study's own")
      .value("only", "GLOB", "runs whose name matches, as 'students/*'; with what they come after")
      .flag("dry-run", "print the runs and the time that they will take, train nothing but short trials")
      .flag("watch", "status: draw it anew every 2 s until all is done")
      .value(
          "csv", "FILE",
          "collect: a line for each run; of groups over seeds in a file beside it, out-groups.csv of out.csv")
      .flag("json", "print one JSON object")
      .epilogue(
          "docs/studies.md explains study files. Ctrl-C (exit 0) and SIGTERM, SIGUSR2 and a closed terminal\n"
          "(exit 75) let the runs under way end after a checkpoint; the same command goes on. Where runs\n"
          "fail, the exit code is that of the first, unless others were stopped and want to go on.");
  if (!options.parse(arguments, 1, 2)) return 0;
  const std::string action = options.words().size() > 1 ? options.words()[1] : "run";
  const std::vector<std::string> actions = {"run", "status", "collect"};
  if (std::find(actions.begin(), actions.end(), action) == actions.end())
    throw UsageError("unknown action '" + action + "'", "study", suggest_name(action, actions));
  const auto belongs = [&](const char* option, const char* owner) {
    if (options.has(option) && action != owner)
      throw UsageError(fmt::format("--{} belongs to 'study STUDY {}'", option, owner), "study",
                       "leave it out");
  };
  belongs("dry-run", "run");
  belongs("watch", "status");
  belongs("csv", "collect");
  const auto files = cluster::local_file_system();
  const Request request = read_request(options, action == "run");
  if (action == "status") return status(request, *files, options.has("watch"));
  if (action == "collect") return collect(request, *files, options.text("csv"));
  return options.has("dry-run") ? dry_run(request, *files) : run(request, *files);
}

}  // namespace smoothlab::launcher
