#include "trainer/run_judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "cluster/error.h"
#include "data/augmentation_draws.h"
#include "eval/chosen_class.h"
#include "eval/evaluation_pass.h"
#include "eval/information_report.h"
#include "trainer/rank_agreement.h"
#include "trainer/recipe_checks.h"
#include "trainer/run_evaluation.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {
namespace {

constexpr char draws_name[] = "draws";

bool falls_on(int64_t step, int64_t every) {
  return every > 0 && step % every == 0;
}

}  // namespace

DueJudgement due_judgement(const Recipe& recipe, int64_t step, int64_t steps) {
  const bool last = step == steps;
  DueJudgement due;
  due.evaluation = last || (step > 0 && falls_on(step, recipe.evaluate.every));
  const auto& at = recipe.logits.at;
  due.logits = !recipe.logits.splits.empty() && (last || falls_on(step, recipe.logits.every) ||
                                                 std::find(at.begin(), at.end(), step) != at.end());
  due.information = !recipe.information.classes.empty() && (last || falls_on(step, recipe.information.every));
  return due;
}

std::shared_ptr<const data::Dataset> information_examples(const InformationOptions& information,
                                                          const RecipePlaces& places,
                                                          const data::Task& task) {
  return places.locate([&]() -> std::shared_ptr<const data::Dataset> {
    if (!task.train)
      throw UsageError("there are no training images to take examples from", "information.classes",
                       "index them too: smoothlab data prepare imagenet --train …");
    std::vector<int64_t> classes;
    for (const eval::ChosenClass& one : eval::choose_classes(information.classes, task.train->class_names(),
                                                             task.train->classes(), "information.classes"))
      classes.push_back(one.number);
    return std::make_shared<data::AugmentationDraws>(
        task.train, data::first_of_classes(*task.train, classes, information.examples), information.draws);
  });
}

RunJudge::RunJudge(const Recipe& recipe, const data::Task& task, std::string folder,
                   cluster::Communicator& communicator, const cluster::Placement& placement,
                   cluster::Log& log)
    : recipe_(recipe),
      task_(task.name),
      folder_(std::move(folder)),
      communicator_(communicator),
      placement_(placement),
      log_(log),
      evaluated_(evaluated_split(recipe, task, "")) {
  check_choice(recipe, evaluated_.name);
  for (const std::string& name : recipe.logits.splits) {
    const TaskSplit split = recipe_split(recipe, task, name, "logits.splits");
    const auto same = [&](const TaskSplit& kept) { return kept.name == split.name; };
    if (std::none_of(kept_.begin(), kept_.end(), same)) kept_.push_back(split);
  }
  if (!recipe.information.classes.empty())
    draws_ = information_examples(recipe.information, recipe.places, task);
}

Judged RunJudge::judge(models::Network& network, int64_t step, bool last, const DueJudgement& due) {
  const auto same =
      std::find_if(kept_.begin(), kept_.end(), [&](const TaskSplit& k) { return k.name == evaluated_.name; });
  const bool one_pass = due.evaluation && due.logits && same != kept_.end();
  Judged judged;
  if (due.evaluation)
    judged.evaluation = evaluate(network, step, one_pass ? file(evaluated_.name, step, last) : "");
  if (due.logits)
    for (const TaskSplit& kept : kept_)
      if (!one_pass || kept.name != evaluated_.name) pass(network, kept, step, file(kept.name, step, last));
  if (due.information) {
    const std::string draws = file(draws_name, step, last);
    pass(network, {draws_name, draws_}, step, draws);
    on_root(communicator_, [&] { judged.information = estimate(draws, step); });
  }
  return judged;
}

InformationMetrics RunJudge::estimate(const std::string& draws, int64_t step) {
  const auto report = eval::analyse_information(eval::LogitFile(draws), recipe_.information.classes, 1);
  InformationMetrics line;
  line.step = step;
  line.classes = fmt::format("{}", fmt::join(recipe_.information.classes, ", "));
  line.examples = report.estimate.examples;
  line.draws = report.estimate.draws;
  line.information = report.estimate.information;
  line.bound = report.estimate.bound;
  line.floor = report.estimate.floor;
  log_.info("step {}: mutual information {:.4f} nats of examples of {}", step, line.information,
            line.classes);
  return line;
}

EvaluationMetrics RunJudge::evaluate(models::Network& network, int64_t step, const std::string& logits) {
  const auto start = std::chrono::steady_clock::now();
  const auto sums = pass(network, evaluated_, step, logits);
  EvaluationMetrics line;
  line.step = step;
  line.split = evaluated_.name;
  line.rows = static_cast<int64_t>(sums.rows);
  line.accuracy = sums.accuracy();
  line.top5_accuracy = sums.top5_accuracy();
  line.nll = sums.mean_nll();
  line.brier = sums.mean_brier();
  line.ece = sums.ece();
  line.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  log_.info("step {}: {} accuracy {:.4f}, NLL {:.4f}, ECE {:.4f} ({} rows in {:.1f} s)", step,
            evaluated_.name, line.accuracy, line.nll, line.ece, line.rows, line.seconds);
  return line;
}

eval::CalibrationSums RunJudge::pass(models::Network& network, const TaskSplit& kept, int64_t step,
                                     const std::string& file) {
  eval::EvaluationOptions how = evaluation_options(recipe_, task_, kept.name, step);
  how.logits = file;
  // Draws differ by little: their logits are kept as they are, whatever becomes of the others.
  const bool draws = kept.dataset == draws_;
  how.summary = recipe_.logits.keep == "summary" && !draws;
  how.keep_penultimate = recipe_.logits.penultimate && !draws;
  if (recipe_.logits.precision == "float16" && !draws) how.precision = eval::LogitPrecision::float16;
  return eval::evaluate(network, kept.dataset, communicator_, placement_, how, log_);
}

std::string RunJudge::file(const std::string& split, int64_t step, bool last) const {
  return last ? fmt::format("{}/{}.h5", folder_, split)
              : fmt::format("{}/step-{}-{}.h5", folder_, step, split);
}

}  // namespace smoothlab::trainer
