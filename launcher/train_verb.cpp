#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/stop_signal.h"
#include "launcher/job.h"
#include "launcher/job_options.h"
#include "launcher/options.h"
#include "launcher/variants.h"
#include "launcher/verbs.h"
#include "trainer/packed_runs.h"
#include "trainer/recipe.h"
#include "trainer/run_plan.h"
#include "trainer/training_run.h"

namespace smoothlab::launcher {
namespace {

/// "recipes/paper/resnet56-cifar100.yaml" trains in runs/resnet56-cifar100 unless told otherwise, and the
/// recipe.yaml of a run in the folder of that run.
std::string default_folder(const std::string& recipe) {
  const std::filesystem::path path(recipe);
  if (path.filename() == "recipe.yaml" && path.has_parent_path()) return path.parent_path().string();
  return "runs/" + std::filesystem::path(recipe).stem().string();
}

int exit_code(trainer::RunOutcome outcome) {
  return static_cast<int>(outcome == trainer::RunOutcome::requeue ? ExitCode::requeue : ExitCode::done);
}

nlohmann::ordered_json to_json(const trainer::PackedOutcome& run) {
  nlohmann::ordered_json json;
  json["run"] = run.folder;
  // Whether to start it again is said by the exit code: ranks hear every request of their launcher as one to
  // requeue.
  json["outcome"] = !run.outcome                                    ? "failed"
                    : *run.outcome == trainer::RunOutcome::finished ? "finished"
                                                                    : "stopped";
  if (run.failure) json["error"] = run.failure->what();
  json["step"] = run.step;
  json["steps"] = run.steps;
  json["evaluation"] = nullptr;
  if (run.evaluation) json["evaluation"] = trainer::to_json(*run.evaluation);
  return json;
}

/// Before ranks start that would each read it.
void require_plain_file(const std::string& recipe) {
  std::error_code none;
  if (std::filesystem::exists(recipe, none) && !std::filesystem::is_regular_file(recipe, none) &&
      !std::filesystem::is_directory(recipe, none))
    throw UsageError("the recipe can be read only once, and every rank reads it", recipe,
                     "save it to a file, or train on one rank");
}

/// The command that goes on with a run, fit for a shell.
std::string resuming_command(const std::vector<std::string>& arguments) {
  std::string command = "smoothlab";
  for (const auto& argument : arguments) {
    const bool plain = argument.find_first_of(" \t\n'\"$&|;<>()*?[]{}~`!#\\") == std::string::npos;
    command += " ";
    if (plain && !argument.empty()) {
      command += argument;
      continue;
    }
    command += "'";
    for (const char c : argument) command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += "'";
  }
  if (std::find(arguments.begin(), arguments.end(), "--resume") == arguments.end()) command += " --resume";
  return command;
}

/// One run, or one of several that --each asks for.
struct PlannedRun {
  std::string folder;
  std::vector<std::string> settings;
};

std::vector<PlannedRun> planned_runs(const Options& options) {
  const std::string folder = options.has("run") ? options.text("run") : default_folder(options.words()[0]);
  if (!options.has("each")) return {{folder, options.texts("set")}};
  std::vector<Axis> axes;
  for (const std::string& list : options.texts("each")) axes.push_back(axis_of(list));
  std::vector<PlannedRun> runs;
  for (const Variant& variant : expand_axes(axes, "--each")) {
    PlannedRun& run = runs.emplace_back(PlannedRun{folder + "/" + variant.name, options.texts("set")});
    for (const auto& [key, value] : variant.values) run.settings.push_back(key + "=" + value);
  }
  return runs;
}

void print_plans(const std::string& path, const std::vector<PlannedRun>& runs, int ranks, bool as_json) {
  nlohmann::json all = nlohmann::json::array();
  for (const PlannedRun& run : runs) {
    const auto recipe = trainer::read_recipe(path, run.settings);
    const auto plan = trainer::plan_run(recipe, ranks);
    all.push_back(trainer::to_json(plan));
    all.back()["run"] = run.folder;
    if (as_json) continue;
    if (runs.size() > 1) std::cout << "run         " << run.folder << '\n';
    std::cout << trainer::to_text(plan) << '\n';
    if (runs.size() == 1) std::cout << trainer::resolved_recipe(recipe);
  }
  if (as_json) std::cout << (runs.size() == 1 ? all[0] : all).dump(2) << '\n';
}

/// Trains one run, with all ranks of the job.
int train_alone(const trainer::PackedRun& planned, cluster::Communicator& communicator, cluster::Log& log,
                const cluster::StopSignal& stop, bool as_json) {
  const auto files = cluster::local_file_system();
  trainer::TrainingRun run(planned.recipe, planned.options, communicator, *files, log);
  const auto outcome = run.train(stop);
  if (as_json && communicator.is_root())
    std::cout
        << to_json({planned.options.folder, outcome, {}, run.step(), run.steps(), run.evaluation()}).dump(2)
        << std::endl;
  return exit_code(outcome);
}

/// Trains several runs side by side. The exit code is that of the first failure, else that of a run which
/// wants to be started again.
int train_side_by_side(const std::vector<trainer::PackedRun>& planned, cluster::Communicator& communicator,
                       cluster::Log& log, const cluster::StopSignal& stop, bool as_json) {
  const auto files = cluster::local_file_system();
  const auto outcomes = trainer::train_pack(planned, communicator, *files, log, stop);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  int code = 0;
  bool failed = false;
  for (const auto& run : outcomes) {
    if (run.failure) log.warning("{}: {}", run.folder, run.failure->what());
    all.push_back(to_json(run));
    if (!run.outcome && !failed) code = static_cast<int>(run.failure->code());
    failed = failed || !run.outcome;
    if (run.outcome && !failed) code = std::max(code, exit_code(*run.outcome));
    if (as_json) continue;
    std::cout << run.folder << ": " << all.back()["outcome"].get<std::string>() << " after step " << run.step
              << " of " << run.steps;
    if (run.evaluation)
      std::cout << fmt::format(", {} accuracy {:.4f}, NLL {:.4f}, ECE {:.4f}", run.evaluation->split,
                               run.evaluation->accuracy, run.evaluation->nll, run.evaluation->ece);
    std::cout << '\n';
  }
  if (as_json) std::cout << all.dump(2) << '\n';
  std::cout << std::flush;
  return code;
}

}  // namespace

int train_verb(const std::vector<std::string>& arguments) {
  Options options("train RECIPE [--ranks N] [--run DIR] [--set key=value]... [--resume] [--dry-run]",
                  "Trains a network as a recipe says. Started by mpirun or srun it is one rank of the job;\n"
                  "by itself it starts --ranks N of them.");
  add_job_options(options)
      .value("run", "DIR", "run folder; without it runs/NAME-OF-RECIPE, or a run's own for its recipe.yaml")
      .list("set", "KEY=VALUE", "overrides a key of the recipe: --set targets.alpha=0.1")
      .list("each", "KEY=V1,V2,...",
            "trains a run for each value, in a folder of --run each, side by side on one device: --each "
            "train.seed=1,2,3; several: every combination")
      .flag("resume", "go on from the newest whole checkpoint")
      .flag("dry-run", "check everything, print the plan and the resolved recipe, train nothing")
      .flag("json", "print the outcome, or with --dry-run the plan, as one JSON object")
      .flag("help-recipe", "list every key of a recipe")
      .epilogue(
          "A run folder holds recipe.yaml (resolved), metrics.jsonl, log.txt, checkpoints/, logits/ and, at the\n"
          "end, summary.json.\n\n"
          "Ctrl-C (exit 0), SIGTERM, SIGUSR2 and a closed terminal (exit 75: start me again) stop a run\n"
          "after a checkpoint at the next step; a second Ctrl-C ends it at once. Under an mpirun of your\n"
          "own send SIGUSR2 to mpirun instead, which answers Ctrl-C and SIGTERM by killing the ranks.");
  for (const auto& argument : arguments)
    if (argument == "--help-recipe") {
      std::cout << trainer::recipe_help(false);
      return 0;
    }
  if (!options.parse(arguments, 1, 1)) return 0;
  Job job = make_job(options, "train", arguments);
  const std::string& path = options.words()[0];
  const std::vector<PlannedRun> runs = planned_runs(options);
  if (options.has("dry-run")) {
    print_plans(path, runs, job.ranks, options.has("json"));
    return 0;
  }
  if (options.has("each") && job.ranks > 1)
    throw UsageError("--each trains its runs on one rank", "--ranks " + std::to_string(job.ranks),
                     "leave --ranks out, or start one run after the other");
  if (job.ranks > 1 && !cluster::started_as_rank()) {
    require_plain_file(path);
    trainer::read_recipe(path, options.texts("set"));  // so that a mistake is told before any rank starts
  }

  // From here on, so that a request which comes while data are opened is heard too.
  const cluster::StopSignal stop;
  job.after_death = "checkpoints that were whole are whole; go on with: " + resuming_command(job.arguments);
  job.stop = &stop;
  return run_job(job, [&](cluster::Communicator& communicator, cluster::Log& log) {
    std::vector<trainer::PackedRun> planned;
    for (const PlannedRun& run : runs) {
      trainer::PackedRun& next = planned.emplace_back();
      next.recipe = trainer::read_recipe(path, run.settings);
      next.options.folder = run.folder;
      next.options.placement = placement_wish(options);
      next.options.resume = options.has("resume");
    }
    if (options.has("each")) return train_side_by_side(planned, communicator, log, stop, options.has("json"));
    return train_alone(planned.front(), communicator, log, stop, options.has("json"));
  });
}

}  // namespace smoothlab::launcher
