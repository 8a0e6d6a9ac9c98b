#include "launcher/swept_run.h"

#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "cluster/duration.h"
#include "cluster/error.h"
#include "eval/evaluation_pass.h"
#include "eval/tempered_calibration.h"
#include "eval/translation_scores.h"
#include "launcher/loaded_on_all.h"
#include "launcher/run_pieces.h"
#include "launcher/split_text.h"
#include "models/safetensors.h"
#include "models/translation_network.h"
#include "trainer/network_device.h"
#include "trainer/rank_agreement.h"
#include "trainer/run_evaluation.h"
#include "trainer/run_parts.h"

namespace smoothlab::launcher {
namespace {

using Clock = std::chrono::steady_clock;

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

/// Plain text that translations are held against, and what turns them into text. Rank 0 has it.
class Judge {
 public:
  Judge(const trainer::LoadedRun& run, const SplitText& text)
      : pieces_(open_run_pieces(
            run.recipe.task, models::read_safetensors(*cluster::local_file_system(), run.weights.front()).metadata)),
        references_(text.references()) {}

  void judge(const std::vector<std::vector<eval::Hypothesis>>& found, eval::TemperatureSweep& sweep,
             eval::SweepPoint& point) const {
    std::vector<std::string> texts;
    for (const auto& one : found) texts.push_back(pieces_.target->decode(one.at(0).tokens));
    eval::TranslatedCorpus corpus;
    corpus.system_names = {"sweep"};
    corpus.systems.emplace_back(texts.begin(), texts.end());
    for (const std::string& line : references_) corpus.references.push_back({line});
    for (const bool lowercase : {false, true}) {
      eval::ScoringOptions options;
      options.bleu.emplace();
      options.bleu->lowercase = lowercase;
      const auto scores = eval::score_translations(corpus, options);
      const eval::MetricScores& bleu = scores.metrics.at(0);
      (lowercase ? point.bleu_lowercase : point.bleu) = bleu.systems.at(0).score;
      (lowercase ? sweep.lowercase_signature : sweep.signature) = bleu.name + "|" + bleu.signature;
      if (!lowercase) point.length_ratio = bleu.systems.at(0).by_name.at("ratio").get<double>();
    }
  }

 private:
  RunPieces pieces_;
  std::vector<std::string> references_;
};

/// A sweep of one run, as far as it has come. All ranks hold the same but for what rank 0 alone judges.
class Sweep {
 public:
  Sweep(const std::string& folder, const SweepWishes& wishes, cluster::Communicator& communicator,
        cluster::Log& log)
      : folder_(folder),
        wishes_(wishes),
        communicator_(communicator),
        log_(log),
        run_(load_on_all(folder, wishes.load, communicator, log)) {
    network_ = dynamic_cast<models::TranslationNetwork*>(run_.network.get());
    if (!network_)
      throw UsageError("the run's network '" + run_.recipe.model.name + "' does not translate", folder,
                       "name a run of a translator");
    std::string split = wishes.split.empty() ? run_.recipe.evaluate.split : wishes.split;
    dataset_ = trainer::split_of(run_.task, split);
    text_.emplace(run_.recipe.task, split);
    eval::SweepOrigin& origin = sweep_.origin;
    origin.step = run_.step;
    origin.split = split;
    origin.samples = dataset_->fingerprint();
    origin.precision = run_.recipe.train.precision;
    origin.beam = wishes.beam.beam;
    origin.length_penalty = wishes.beam.length_penalty;
    origin.weights =
        trainer::text_from_root(communicator, [&] { return trainer::weights_digest(run_); });
    origin.references = trainer::text_from_root(communicator, [&] { return text_->digest(); });
    sweep_.sentences = text_->pairs().size();
    for (int64_t i = 0; i < sweep_.sentences; ++i) sweep_.tokens += dataset_->rows(i);
    take_known();
  }

  eval::TemperatureSweep run() {
    auto placement = cluster::place_rank(communicator_, run_.recipe.train.device, wishes_.placement);
    placement.tf32 = run_.recipe.train.precision == "tf32";
    cluster::apply(placement);
    calibrate(placement);
    translate(placement.threads);
    return std::move(sweep_);
  }

 private:
  /// Rank 0 says what was worked out before: the file may change under us.
  void take_known() {
    const auto files = cluster::local_file_system();
    const std::string known = trainer::text_from_root(
        communicator_, [&] { return eval::sweeps_text(read_sweeps(*files, folder_)); });
    for (const eval::TemperatureSweep& earlier : eval::parse_sweeps(known, sweeps_file(folder_))) {
      if (!(earlier.origin == sweep_.origin)) continue;
      sweep_.signature = earlier.signature;
      sweep_.lowercase_signature = earlier.lowercase_signature;
      for (const double temperature : wishes_.temperatures)
        if (const auto* point = earlier.at(temperature)) sweep_.point(temperature) = *point;
    }
    int64_t searched = 0;
    for (const double temperature : wishes_.temperatures)
      searched += sweep_.point(temperature).bleu_lowercase ? 1 : 0;
    if (searched > 0)
      log_.info("{}: {} of {} temperatures were searched before", folder_, searched,
                wishes_.temperatures.size());
  }

  void keep() {
    trainer::on_root(communicator_, [&] {
      const auto files = cluster::local_file_system();
      auto all = read_sweeps(*files, folder_);
      eval::merge_sweep(all, sweep_);
      cluster::write_file_whole(*files, sweeps_file(folder_), eval::sweeps_text(all));
    });
  }

  void calibrate(const cluster::Placement& placement) {
    std::vector<double> missing;
    for (const eval::SweepPoint& point : sweep_.points)
      if (!point.nll || !point.ece) missing.push_back(point.temperature);
    if (missing.empty()) return;
    trainer::move_to(*network_, placement.device);
    eval::TemperedCalibration tempered(missing, network_->classes());
    eval::EvaluationOptions options =
        trainer::evaluation_options(run_.recipe, run_.task.name, sweep_.origin.split, run_.step);
    options.rows = [&](const float* logits, const int64_t* labels, int64_t n) {
      tempered.add(logits, labels, n);
    };
    eval::evaluate(*network_, dataset_, communicator_, placement, options, log_);
    tempered.sum_over(communicator_);
    for (size_t t = 0; t < missing.size(); ++t) {
      eval::SweepPoint& point = sweep_.point(missing[t]);
      point.nll = tempered.sums(t).mean_nll();
      point.ece = tempered.sums(t).ece();
    }
    trainer::move_to(*network_, at::kCPU);
    keep();
  }

  void translate(int threads) {
    std::vector<double> missing;
    for (const eval::SweepPoint& point : sweep_.points)
      if (!point.bleu || !point.bleu_lowercase) missing.push_back(point.temperature);
    if (missing.empty()) return;
    std::optional<Judge> judge;
    trainer::on_root(communicator_, [&] { judge.emplace(run_, *text_); });
    const Sources sources(text_->pairs());
    eval::TranslationOptions how;
    how.beam = wishes_.beam;
    how.batches = wishes_.batches;
    how.threads = threads;
    const auto start = Clock::now();
    for (size_t t = 0; t < missing.size(); ++t) {
      how.beam.temperature = missing[t];
      how.progress = [&](int64_t done, int64_t all) {
        const double share = static_cast<double>(done) / static_cast<double>(all);
        const double finished = static_cast<double>(t) + share;
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        log_.progress(fmt::format(
            "{}: T = {:g}, {} of {} temperatures, {:.0f} % of its sentences, {} left", folder_, missing[t],
            t + 1, missing.size(), 100 * share,
            cluster::duration_text(seconds / finished * (static_cast<double>(missing.size()) - finished))));
      };
      const auto found = eval::translate(*network_, sources.sentences, sources.ids,
                                         text_->pairs().target_vocabulary(), how, communicator_);
      trainer::on_root(communicator_, [&] { judge->judge(found, sweep_, sweep_.point(missing[t])); });
      keep();
    }
    log_.progress_done();
  }

  std::string folder_;
  const SweepWishes& wishes_;
  cluster::Communicator& communicator_;
  cluster::Log& log_;
  trainer::LoadedRun run_;
  models::TranslationNetwork* network_ = nullptr;
  std::shared_ptr<const data::Dataset> dataset_;
  std::optional<SplitText> text_;
  eval::TemperatureSweep sweep_;
};

}  // namespace

std::string sweeps_file(const std::string& folder) {
  return folder + "/temperature-sweep.json";
}

std::vector<eval::TemperatureSweep> read_sweeps(const cluster::FileSystem& files, const std::string& folder) {
  const std::string path = sweeps_file(folder);
  if (!files.exists(path)) return {};
  return eval::parse_sweeps(files.read(path), path);
}

eval::TemperatureSweep sweep_run(const std::string& folder, const SweepWishes& wishes,
                                 cluster::Communicator& communicator, cluster::Log& log) {
  return Sweep(folder, wishes, communicator, log).run();
}

}  // namespace smoothlab::launcher
