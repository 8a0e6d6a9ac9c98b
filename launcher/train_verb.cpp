#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/stop_signal.h"
#include "launcher/job.h"
#include "launcher/options.h"
#include "launcher/verbs.h"
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

nlohmann::ordered_json to_json(const trainer::TrainingRun& run, const std::string& folder,
                               trainer::RunOutcome outcome) {
  nlohmann::ordered_json json;
  json["run"] = folder;
  // Whether to start it again is said by the exit code: ranks hear every request of their launcher as one to
  // requeue.
  json["outcome"] = outcome == trainer::RunOutcome::finished ? "finished" : "stopped";
  json["step"] = run.step();
  json["steps"] = run.steps();
  json["evaluation"] = nullptr;
  if (const auto& last = run.last_evaluation())
    json["evaluation"] = {{"step", last->step},
                          {"split", last->split},
                          {"rows", last->rows},
                          {"accuracy", last->accuracy},
                          {"top5_accuracy", last->top5_accuracy},
                          {"nll", last->nll},
                          {"brier", last->brier},
                          {"ece", last->ece}};
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

}  // namespace

int train_verb(const std::vector<std::string>& arguments) {
  Options options("train RECIPE [--ranks N] [--run DIR] [--set key=value]... [--resume] [--dry-run]",
                  "Trains a network as a recipe says. Started by mpirun or srun it is one rank of the job;\n"
                  "by itself it starts --ranks N of them.");
  options.value("ranks", "N", "ranks to start", "1")
      .value("threads", "N", "CPU threads a rank; OMP_NUM_THREADS, or its share of the cores, without it")
      .value("stall-limit", "SECONDS", "ends the job when ranks wait this long for one; 0: never", "600")
      .value("run", "DIR", "run folder; without it runs/NAME-OF-RECIPE, or a run's own for its recipe.yaml")
      .list("set", "KEY=VALUE", "overrides a key of the recipe: --set targets.alpha=0.1")
      .flag("resume", "go on from the newest whole checkpoint")
      .flag("dry-run", "check everything, print the plan and the resolved recipe, train nothing")
      .flag("json", "print the outcome, or with --dry-run the plan, as one JSON object")
      .flag("help-recipe", "list every key of a recipe")
      .epilogue(
          "A run folder holds recipe.yaml (resolved), metrics.jsonl, log.txt, checkpoints/ and logits/.\n\n"
          "Ctrl-C (exit 0), SIGTERM, SIGUSR2 and a closed terminal (exit 75: start me again) stop a run\n"
          "after a checkpoint at the next step; a second Ctrl-C ends it at once. Under an mpirun of your\n"
          "own send SIGUSR2 to mpirun instead, which answers Ctrl-C and SIGTERM by killing the ranks.");
  for (const auto& argument : arguments)
    if (argument == "--help-recipe") {
      std::cout << trainer::recipe_help(false);
      return 0;
    }
  if (!options.parse(arguments, 1, 1)) return 0;
  const int ranks = static_cast<int>(options.integer("ranks", 1, 65536));
  const std::string& path = options.words()[0];
  const auto read = [&] { return trainer::read_recipe(path, options.texts("set")); };
  if (options.has("dry-run")) {
    const auto recipe = read();
    const auto plan = trainer::plan_run(recipe, ranks);
    if (options.has("json"))
      std::cout << trainer::to_json(plan).dump(2) << '\n';
    else
      std::cout << trainer::to_text(plan) << '\n' << trainer::resolved_recipe(recipe);
    return 0;
  }

  if (ranks > 1 && !cluster::started_as_rank()) {
    require_plain_file(path);
    read();  // before any rank starts, so that a mistake is told at once
  }

  // From here on, so that a request which comes while data are opened is heard too.
  const cluster::StopSignal stop;
  trainer::RunOptions run_options;
  run_options.folder = options.has("run") ? options.text("run") : default_folder(path);
  if (options.has("threads")) run_options.threads = static_cast<int>(options.integer("threads", 1, 4096));
  run_options.resume = options.has("resume");
  Job job;
  job.ranks = ranks;
  job.stall_limit = std::chrono::seconds(options.integer("stall-limit", 0, 1000000));
  job.arguments = arguments;
  job.arguments.insert(job.arguments.begin(), "train");
  job.after_death = "checkpoints that were whole are whole; go on with: " + resuming_command(job.arguments);
  job.stop = &stop;
  return run_job(job, [&](cluster::Communicator& communicator, cluster::Log& log) {
    const auto files = cluster::local_file_system();
    trainer::TrainingRun run(read(), run_options, communicator, *files, log);
    const auto outcome = run.train(stop);
    if (options.has("json") && communicator.is_root())
      std::cout << to_json(run, run_options.folder, outcome).dump(2) << std::endl;
    return exit_code(outcome);
  });
}

}  // namespace smoothlab::launcher
