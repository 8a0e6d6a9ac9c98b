#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

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

/// "recipes/paper/resnet56-cifar100.yaml" trains in runs/resnet56-cifar100 unless told otherwise.
std::string default_folder(const std::string& recipe) {
  return "runs/" + std::filesystem::path(recipe).stem().string();
}

int exit_code(trainer::RunOutcome outcome) {
  return static_cast<int>(outcome == trainer::RunOutcome::requeue ? ExitCode::requeue : ExitCode::done);
}

}  // namespace

int train_verb(const std::vector<std::string>& arguments) {
  Options options("train RECIPE [--ranks N] [--run DIR] [--set key=value]... [--resume] [--dry-run]",
                  "Trains a network as a recipe says. Started by mpirun or srun it is one rank of the job;\n"
                  "by itself it starts --ranks N of them. SIGINT, SIGTERM and SIGUSR2 stop it after a\n"
                  "checkpoint at the next step.");
  options.value("ranks", "N", "ranks to start", "1")
      .value("run", "DIR", "run folder; runs/NAME-OF-RECIPE without it")
      .list("set", "KEY=VALUE", "overrides a key of the recipe: --set targets.alpha=0.1")
      .flag("resume", "go on from the newest whole checkpoint")
      .flag("dry-run", "check everything, print the plan and the resolved recipe, train nothing")
      .flag("json", "print results as JSON")
      .flag("help-recipe", "list every key of a recipe")
      .epilogue("A run folder holds recipe.yaml (resolved), metrics.jsonl, log.txt, checkpoints/ and logits/.");
  for (const auto& argument : arguments)
    if (argument == "--help-recipe") {
      std::cout << trainer::recipe_help(false);
      return 0;
    }
  if (!options.parse(arguments, 1, 1)) return 0;
  const int ranks = static_cast<int>(options.integer("ranks", 1, 65536));
  // Read before any rank starts, so that a mistake is told once and at once.
  const auto recipe = trainer::read_recipe(options.words()[0], options.texts("set"));
  if (options.has("dry-run")) {
    const auto plan = trainer::plan_run(recipe, ranks);
    if (options.has("json"))
      std::cout << trainer::to_json(plan).dump(2) << '\n';
    else
      std::cout << trainer::to_text(plan) << '\n' << trainer::resolved_recipe(recipe);
    return 0;
  }

  trainer::RunOptions run_options;
  run_options.folder = options.has("run") ? options.text("run") : default_folder(options.words()[0]);
  run_options.resume = options.has("resume");
  std::vector<std::string> whole = arguments;
  whole.insert(whole.begin(), "train");
  return run_job(ranks, whole, [&](cluster::Communicator& communicator, cluster::Log& log) {
    const cluster::StopSignal stop;
    const auto files = cluster::local_file_system();
    trainer::TrainingRun run(recipe, run_options, communicator, *files, log);
    return exit_code(run.train(stop));
  });
}

}  // namespace smoothlab::launcher
