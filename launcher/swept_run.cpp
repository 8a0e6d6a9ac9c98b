#include "launcher/swept_run.h"

#include <fmt/format.h>

#include <chrono>
#include <numeric>
#include <optional>

#include "cluster/duration.h"
#include "cluster/error.h"
#include "eval/evaluation_pass.h"
#include "eval/tempered_calibration.h"
#include "launcher/kept_sweeps.h"
#include "launcher/loaded_on_all.h"
#include "launcher/split_text.h"
#include "launcher/sweep_judge.h"
#include "models/translation_network.h"
#include "trainer/network_device.h"
#include "trainer/rank_agreement.h"
#include "trainer/run_evaluation.h"
#include "trainer/task_split.h"

namespace smoothlab::launcher {
namespace {

using Clock = std::chrono::steady_clock;

/// A run that is open for a sweep. All ranks hold the same.
struct OpenRun {
  const std::string& folder;
  const SweepWishes& wishes;
  cluster::Communicator& communicator;
  cluster::Log& log;
  trainer::LoadedRun run;
  models::TranslationNetwork& network;
  trainer::TaskSplit split;
  SplitText text;
};

models::TranslationNetwork& translator(const trainer::LoadedRun& run, const std::string& folder) {
  auto* network = dynamic_cast<models::TranslationNetwork*>(run.network.get());
  if (!network)
    throw UsageError("the run's network '" + run.recipe.model.name + "' does not translate", folder,
                     "name a run of a translator");
  return *network;
}

OpenRun open(const std::string& folder, const SweepWishes& wishes, cluster::Communicator& communicator,
             cluster::Log& log) {
  trainer::LoadedRun run = load_on_all(folder, wishes.load, communicator, log);
  models::TranslationNetwork& network = translator(run, folder);
  trainer::TaskSplit split = trainer::evaluated_split(run.recipe, run.task, wishes.split);
  SplitText text(run.recipe.task, split.name);
  if (split.dataset->size() != text.pairs().size())
    throw DataError(fmt::format("{} samples to evaluate and {} pairs of text to translate",
                                split.dataset->size(), text.pairs().size()),
                    folder, "prepare the corpus again");
  return {folder, wishes, communicator, log, std::move(run), network, std::move(split), std::move(text)};
}

eval::SweepOrigin origin_of(const OpenRun& open) {
  eval::SweepOrigin origin;
  origin.step = open.run.step;
  origin.split = open.split.name;
  origin.samples = open.split.dataset->fingerprint();
  origin.precision = open.run.recipe.train.precision;
  origin.beam = open.wishes.beam.beam;
  origin.length_penalty = open.wishes.beam.length_penalty;
  origin.weights =
      trainer::text_from_root(open.communicator, [&] { return trainer::weights_digest(open.run); });
  origin.references = trainer::text_from_root(open.communicator, [&] { return open.text.digest(); });
  return origin;
}

/// The points wanted, with what was worked out before. Rank 0 says what that is: the file may change under
/// us.
eval::TemperatureSweep begun_sweep(const OpenRun& open) {
  eval::TemperatureSweep sweep;
  sweep.origin = origin_of(open);
  sweep.sentences = open.text.pairs().size();
  for (int64_t i = 0; i < sweep.sentences; ++i) sweep.tokens += open.split.dataset->rows(i);
  const auto files = cluster::local_file_system();
  const std::string kept = trainer::text_from_root(
      open.communicator, [&] { return eval::sweeps_text(read_sweeps(*files, open.folder)); });
  take_known(eval::parse_sweeps(kept, sweeps_file(open.folder)), open.wishes.temperatures, sweep);
  int64_t searched = 0;
  for (const eval::SweepPoint& point : sweep.points) searched += point.bleu_lowercase ? 1 : 0;
  if (searched > 0)
    open.log.info("{}: {} of {} temperatures were searched before", open.folder, searched,
                  sweep.points.size());
  return sweep;
}

void keep(const OpenRun& open, const eval::TemperatureSweep& sweep) {
  trainer::on_root(open.communicator, [&] { keep_sweep(*cluster::local_file_system(), open.folder, sweep); });
}

/// NLL and ECE where they are missing: one pass, teacher-forced.
void calibrate(OpenRun& open, const cluster::Placement& placement, eval::TemperatureSweep& sweep) {
  std::vector<double> missing;
  for (const eval::SweepPoint& point : sweep.points)
    if (!point.nll || !point.ece) missing.push_back(point.temperature);
  if (missing.empty()) return;
  trainer::move_to(open.network, placement.device);
  eval::TemperedCalibration tempered(missing, open.network.classes());
  eval::EvaluationOptions options =
      trainer::evaluation_options(open.run.recipe, open.run.task.name, open.split.name, open.run.step);
  options.rows = [&](const float* logits, const int64_t* labels, int64_t n) {
    tempered.add(logits, labels, n);
  };
  eval::evaluate(open.network, open.split.dataset, open.communicator, placement, options, open.log);
  tempered.sum_over(open.communicator);
  for (size_t t = 0; t < missing.size(); ++t) {
    eval::SweepPoint& point = sweep.point(missing[t]);
    point.nll = tempered.sums(t).mean_nll();
    point.ece = tempered.sums(t).ece();
  }
  trainer::move_to(open.network, at::kCPU);
  keep(open, sweep);
}

/// The source sentences of pairs, as the network takes them, numbered as lines are.
struct Sources {
  explicit Sources(const data::SentencePairs& pairs) : ids(static_cast<size_t>(pairs.size())) {
    std::iota(ids.begin(), ids.end(), 1);
    for (int64_t i = 0; i < pairs.size(); ++i) {
      const data::Tokens tokens = pairs.source(i);
      sentences.tokens.insert(sentences.tokens.end(), tokens.begin(), tokens.end());
      sentences.tokens.push_back(pairs.source_vocabulary().special.end);
      sentences.offsets.push_back(static_cast<int64_t>(sentences.tokens.size()));
    }
  }
  models::SourceSentences sentences;
  std::vector<int64_t> ids;
};

/// Tells how far the searches have come, all temperatures together.
class SearchProgress {
 public:
  SearchProgress(const OpenRun& open, const std::vector<double>& temperatures)
      : open_(open), temperatures_(temperatures) {}

  /// done: of the sentences of temperature t.
  void tell(size_t t, int64_t done, int64_t all) const {
    const double share = static_cast<double>(done) / static_cast<double>(all);
    const double finished = static_cast<double>(t) + share;
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const double left = seconds / finished * (static_cast<double>(temperatures_.size()) - finished);
    open_.log.progress(fmt::format("{}: T = {:g}, {} of {} temperatures, {:.0f} % of its sentences, {} left",
                                   open_.folder, temperatures_[t], t + 1, temperatures_.size(), 100 * share,
                                   cluster::duration_text(left)));
  }

 private:
  const OpenRun& open_;
  const std::vector<double>& temperatures_;
  Clock::time_point start_ = Clock::now();
};

/// BLEU where it is missing: a beam search each.
void translate(OpenRun& open, int threads, eval::TemperatureSweep& sweep) {
  std::vector<double> missing;
  for (const eval::SweepPoint& point : sweep.points)
    if (!point.bleu || !point.bleu_lowercase) missing.push_back(point.temperature);
  if (missing.empty()) return;
  std::optional<SweepJudge> judge;  // of rank 0
  trainer::on_root(open.communicator, [&] { judge.emplace(open.run, open.text); });
  const Sources sources(open.text.pairs());
  eval::TranslationOptions how;
  how.beam = open.wishes.beam;
  how.batches = open.wishes.batches;
  how.threads = threads;
  const SearchProgress progress(open, missing);
  for (size_t t = 0; t < missing.size(); ++t) {
    how.beam.temperature = missing[t];
    how.progress = [&](int64_t done, int64_t all) { progress.tell(t, done, all); };
    const auto found = eval::translate(open.network, sources.sentences, sources.ids,
                                       open.text.pairs().target_vocabulary(), how, open.communicator);
    trainer::on_root(open.communicator, [&] { judge->judge(found, sweep, sweep.point(missing[t])); });
    keep(open, sweep);
  }
  open.log.progress_done();
}

}  // namespace

eval::TemperatureSweep sweep_run(const std::string& folder, const SweepWishes& wishes,
                                 cluster::Communicator& communicator, cluster::Log& log) {
  OpenRun run = open(folder, wishes, communicator, log);
  eval::TemperatureSweep sweep = begun_sweep(run);
  auto placement = cluster::place_rank(communicator, run.run.recipe.train.device, wishes.placement);
  placement.tf32 = run.run.recipe.train.precision == "tf32";
  cluster::apply(placement);
  calibrate(run, placement, sweep);
  translate(run, placement.threads, sweep);
  return sweep;
}

}  // namespace smoothlab::launcher
