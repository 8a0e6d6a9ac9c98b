#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cluster/device.h"
#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/chosen_class.h"
#include "eval/evaluation_pass.h"
#include "eval/output_file.h"
#include "eval/real_accuracy.h"
#include "launcher/job.h"
#include "launcher/job_options.h"
#include "launcher/loaded_on_all.h"
#include "launcher/options.h"
#include "launcher/verbs.h"
#include "launcher/weights_options.h"
#include "trainer/given_weights.h"
#include "trainer/loaded_run.h"
#include "trainer/network_device.h"
#include "trainer/rank_agreement.h"
#include "trainer/run_evaluation.h"
#include "trainer/run_judge.h"
#include "trainer/task_split.h"

namespace smoothlab::launcher {
namespace {

struct EvaluateRequest {
  cluster::PlacementWish placement;
  std::string folder;           ///< of a run; empty where there are given weights
  std::string weights, recipe;  ///< a file, and the recipe of its network
  std::vector<std::string> settings;
  std::string split, logits;
  std::string keep;  ///< "full", "summary"; empty: as the recipe keeps its own
  std::string real;  ///< file of ReaL labels; empty: none
  trainer::LoadOptions load;
  eval::LogitPrecision precision = eval::LogitPrecision::float32;
  bool penultimate = true, json = false;
  /// Of augmentation draws in place of a split, where there are classes.
  trainer::InformationOptions information;
};

std::shared_ptr<const data::Dataset> draws_of(const trainer::InformationOptions& wanted,
                                              const data::Task& task) {
  trainer::RecipePlaces places;
  for (const char* name : {"classes", "examples"})
    places.note(std::string("information.") + name, {std::string("--") + name, true});
  return trainer::information_examples(wanted, places, task);
}

void print(const EvaluateRequest& request, const std::string& split, const trainer::LoadedRun& run,
           const eval::CalibrationSums& sums, const std::optional<eval::RealAccuracy>& real) {
  if (request.json) {
    nlohmann::ordered_json json;
    if (request.weights.empty()) {
      json["run"] = request.folder;
      json["step"] = run.step;
      json["best"] = nullptr;
      if (!run.best.empty()) json["best"] = run.best;
    } else {
      json["weights"] = request.weights;
    }
    json["split"] = split;
    json["averaged"] = run.averaged;
    json["rows"] = static_cast<int64_t>(sums.rows);
    json["accuracy"] = sums.accuracy();
    json["top5_accuracy"] = sums.top5_accuracy();
    json["nll"] = sums.mean_nll();
    json["brier"] = sums.mean_brier();
    json["ece"] = sums.ece();
    if (real) {
      json["real_accuracy"] = real->accuracy();
      json["real_images"] = real->images;
    }
    json["logits"] = request.logits;
    std::cout << json.dump(2) << '\n';
    return;
  }
  const std::string best = run.best.empty() ? "" : fmt::format(" (the best by {})", run.best);
  const std::string source = request.weights.empty()
                                 ? fmt::format("{}, step {}{}", request.folder, run.step, best)
                                 : request.weights;
  fmt::print("{}, {}: {} rows, accuracy {:.4f}, NLL {:.4f}, Brier {:.4f}, ECE {:.4f}", source, split,
             sums.rows, sums.accuracy(), sums.mean_nll(), sums.mean_brier(), sums.ece());
  if (real) fmt::print(", ReaL accuracy {:.4f} of {} images", real->accuracy(), real->images);
  fmt::print("\n");
  std::fflush(stdout);
}

trainer::InformationOptions wanted_draws(const Options& options) {
  trainer::InformationOptions wanted;
  wanted.classes = eval::split_classes(options.texts("classes"), 2, "--classes");
  wanted.examples = options.integer("examples", 1, INT64_C(1) << 40);
  wanted.draws = options.integer("draws", 2, 1024);
  return wanted;
}

std::string wanted_keep(const Options& options) {
  const std::string keep = options.text("keep");
  if (!keep.empty() && keep != "full" && keep != "summary")
    throw UsageError("unknown '" + keep + "'", "--keep", suggest_name(keep, {"full", "summary"}));
  if (keep == "summary" && options.has("classes"))
    throw UsageError("information takes all logits of its draws", "--keep", "leave --keep or --classes out");
  return keep;
}

/// A summary that the run has kept is not replaced by a file a hundred times as large unless that is asked
/// for.
bool keeps_summary(const EvaluateRequest& request, const trainer::Recipe& recipe) {
  if (!request.information.classes.empty()) return false;
  if ((request.keep.empty() ? recipe.logits.keep : request.keep) == "full") return false;
  if (request.precision == eval::LogitPrecision::float16)
    throw UsageError("a summary has a precision of its own", "--precision",
                     "leave --precision out, or give --keep full");
  return true;
}

/// What is evaluated: a split, or draws.
trainer::TaskSplit samples_of(const EvaluateRequest& request, const trainer::LoadedRun& run) {
  if (request.information.classes.empty())
    return trainer::evaluated_split(run.recipe, run.task, request.split);
  return {"draws", draws_of(request.information, run.task)};
}

trainer::LoadedRun load(const EvaluateRequest& request, cluster::Communicator& communicator,
                        cluster::Log& log) {
  if (request.weights.empty()) return load_on_all(request.folder, request.load, communicator, log);
  return trainer::load_given_weights(trainer::read_recipe(request.recipe, request.settings), request.weights,
                                     *cluster::local_file_system());
}

/// On rank 0, where they are asked for. What does not fit is told before the work.
std::optional<eval::RealLabels> read_real_labels(const EvaluateRequest& request, const std::string& split,
                                                 const data::Dataset& dataset, const trainer::LoadedRun& run,
                                                 cluster::Communicator& communicator) {
  std::optional<eval::RealLabels> labels;
  if (request.real.empty()) return labels;
  trainer::on_root(communicator, [&] {
    labels.emplace(request.real);
    eval::require_real_split(*labels, run.task.name, split, dataset.size(), run.network->classes(),
                             request.folder);
  });
  return labels;
}

/// Of the rows as they were written.
std::optional<eval::RealAccuracy> judge_real(const EvaluateRequest& request,
                                             const std::optional<eval::RealLabels>& labels,
                                             cluster::Log& log) {
  if (!labels) return std::nullopt;
  const eval::LogitFile file(request.logits, eval::Incomplete::refuse, eval::Compact::refuse,
                             eval::Summary::accept);
  const eval::RealAccuracy real = eval::real_accuracy(file, *labels, 0);
  if (!real.doubt().empty()) log.warning("{}", real.doubt());
  return real;
}

int evaluate_rank(EvaluateRequest request, cluster::Communicator& communicator, cluster::Log& log) {
  const auto run = load(request, communicator, log);
  const auto [split, dataset] = samples_of(request, run);
  const auto real_labels = read_real_labels(request, split, *dataset, run, communicator);
  const bool summary = keeps_summary(request, run.recipe);
  if (request.logits.empty() && request.weights.empty()) {
    // The plain name is that of the checkpoint which stands for the run; no other one's rows may take its
    // place.
    const bool stands = request.load.step < 0 && !(request.load.which == trainer::WhichCheckpoint::newest &&
                                                   run.recipe.checkpoint.best != "none");
    const std::string step = stands ? "" : "step-" + std::to_string(run.step) + "-";
    request.logits = request.folder + "/logits/" + step + split + ".h5";
    trainer::on_root(communicator, [&] { eval::claim_output(request.logits, eval::OutputKind::logits); });
  }

  auto placement = cluster::place_rank(communicator, run.recipe.train.device, request.placement);
  placement.tf32 = run.recipe.train.precision == "tf32";
  cluster::apply(placement);
  trainer::move_to(*run.network, placement.device);
  eval::EvaluationOptions options = trainer::evaluation_options(run.recipe, run.task.name, split, run.step);
  options.origin.weights_digest = trainer::weights_digest(run);
  options.logits = request.logits;
  options.keep_penultimate = request.penultimate;
  options.summary = summary;
  options.precision = request.precision;
  const auto sums = eval::evaluate(*run.network, dataset, communicator, placement, options, log);
  if (communicator.is_root()) print(request, split, run, sums, judge_real(request, real_labels, log));
  return 0;
}

/// Which network is evaluated. Throws UsageError.
void read_network(const Options& options, EvaluateRequest& request) {
  request.folder = options.text("run");
  request.weights = options.text("weights");
  request.recipe = options.text("recipe");
  request.settings = options.texts("set");
  if (request.folder.empty() && request.weights.empty())
    throw UsageError("no run given", "evaluate",
                     "usage: smoothlab evaluate --run DIR, or --weights FILE --recipe RECIPE");
  if (request.weights.empty()) {
    for (const char* name : {"recipe", "set"})
      if (options.has(name))
        throw UsageError("a run is evaluated by its own recipe", std::string("--") + name,
                         "leave it out, or name weights as --weights");
    if (!std::filesystem::is_directory(request.folder))
      throw DataError("no such run folder", request.folder, "train first, or check the path");
    return;
  }
  for (const char* name : {"run", "checkpoint", "step", "last", "no-average", "classes"})
    if (options.given(name))
      throw UsageError("means nothing of weights of a file", std::string("--") + name, "leave it out");
  if (options.has("real") && !options.has("logits"))
    throw UsageError("ReaL labels are compared with the rows of a file", "--real", "name it as --logits");
  if (request.recipe.empty())
    throw UsageError("the network and the data of the weights are not known", "--weights",
                     "name a recipe of theirs as --recipe");
  trainer::read_recipe(request.recipe, request.settings);  // so that a mistake is told before any rank starts
}

}  // namespace

int evaluate_verb(const std::vector<std::string>& arguments) {
  Options options(
      "evaluate --run DIR | --weights FILE --recipe RECIPE [--split S] [--logits FILE] [--ranks N]",
      "Runs a split through a checkpoint of a run, the best where the run chooses (checkpoint.best) and else\n"
      "the newest whole one, every sample exactly once over all ranks, and streams logits and penultimate\n"
      "activations to DIR/logits/SPLIT.h5 (DIR/logits/step-N-SPLIT.h5 of another checkpoint). Weights of a\n"
      "file, such as timm's, are evaluated by the network and on the data of a recipe, and leave a logit file\n"
      "where one is named.");
  add_weights_options(add_job_options(options).value("run", "DIR", "run folder"))
      .value("weights", "FILE",
             "weights to evaluate in place of a run's: .safetensors, names as here or as timm's")
      .value("recipe", "RECIPE", "with --weights: the recipe whose network and data they are of")
      .list("set", "KEY=VALUE", "with --recipe: overrides a key of it")
      .value("split", "S", "train, validation or test; the recipe's evaluate.split without it")
      .value("logits", "FILE", "where the logit file goes")
      .list("classes", "A,B",
            "instead of a split: examples of two classes, each under several draws of the augmentation, for "
            "information; kept as draws.h5")
      .value("examples", "N", "with --classes: training samples of each class, the first ones", "300")
      .value("draws", "L", "with --classes: draws of each of them", "5")
      .value(
          "keep", "WHAT",
          "full: all logits; summary: of each row what calibrate needs, some 620 bytes whatever the classes; "
          "the recipe's logits.keep without it")
      .value(
          "real", "FILE",
          "ReaL labels of ImageNet's validation images (real.json): also how often the top prediction is one of them")
      .value("precision", "TYPE", "float32 or float16, of the stored rows", "float32")
      .flag("no-penultimate", "keep logits only")
      .flag("json", "print one JSON object");
  if (!options.parse(arguments, 0, 0)) return 0;
  Job job = make_job(options, "evaluate", arguments);
  EvaluateRequest request;
  request.placement = placement_wish(options);
  read_network(options, request);
  request.split = options.text("split");
  const std::vector<std::string> splits = {"train", "validation", "test"};
  if (!request.split.empty() && std::find(splits.begin(), splits.end(), request.split) == splits.end())
    throw UsageError("unknown split '" + request.split + "'", "--split", suggest_name(request.split, splits));
  request.logits = options.text("logits");
  if (options.has("logits")) eval::claim_output(request.logits, eval::OutputKind::logits);
  const std::string precision = options.text("precision");
  if (precision != "float32" && precision != "float16")
    throw UsageError("unknown precision '" + precision + "'", "--precision",
                     suggest_name(precision, {"float32", "float16"}));
  if (precision == "float16") request.precision = eval::LogitPrecision::float16;
  request.keep = wanted_keep(options);
  request.load = load_wish(options);
  request.penultimate = !options.has("no-penultimate");
  if (options.has("classes")) {
    if (options.has("split"))
      throw UsageError("draws are of the training split", "--split", "leave --split or --classes out");
    request.information = wanted_draws(options);
    request.penultimate = false;
  }
  request.real = options.text("real");
  if (!request.real.empty() && options.has("classes"))
    throw UsageError("draws are of the training split, which has no ReaL labels", "--real",
                     "leave --real or --classes out");
  request.json = options.has("json");
  job.after_death = "nothing was published, an older logit file is as it was; evaluate again";
  return run_job(job, [&](cluster::Communicator& communicator, cluster::Log& log) {
    return evaluate_rank(request, communicator, log);
  });
}

}  // namespace smoothlab::launcher
