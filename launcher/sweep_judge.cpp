#include "launcher/sweep_judge.h"

#include "cluster/file_system.h"
#include "eval/translation_scores.h"
#include "models/safetensors.h"

namespace smoothlab::launcher {
namespace {

eval::MetricScores bleu_of(const eval::TranslatedCorpus& corpus, bool lowercase) {
  eval::ScoringOptions options;
  options.bleu.emplace();
  options.bleu->lowercase = lowercase;
  return eval::score_translations(corpus, options).metrics.at(0);
}

}  // namespace

SweepJudge::SweepJudge(const trainer::LoadedRun& run, const SplitText& text)
    : pieces_(open_run_pieces(
          run.recipe.task,
          models::read_safetensors(*cluster::local_file_system(), run.weights.front()).metadata)),
      references_(text.references()) {}

void SweepJudge::judge(const std::vector<std::vector<eval::Hypothesis>>& found, eval::TemperatureSweep& sweep,
                       eval::SweepPoint& point) const {
  std::vector<std::string> texts;
  for (const auto& one : found) texts.push_back(pieces_.target->decode(one.at(0).tokens));
  eval::TranslatedCorpus corpus;
  corpus.system_names = {"sweep"};
  corpus.systems.emplace_back(texts.begin(), texts.end());
  for (const std::string& line : references_) corpus.references.push_back({line});
  const eval::MetricScores cased = bleu_of(corpus, false), lowercase = bleu_of(corpus, true);
  point.bleu = cased.systems.at(0).score;
  point.length_ratio = cased.systems.at(0).by_name.at("ratio").get<double>();
  point.bleu_lowercase = lowercase.systems.at(0).score;
  sweep.signature = cased.name + "|" + cased.signature;
  sweep.lowercase_signature = lowercase.name + "|" + lowercase.signature;
}

}  // namespace smoothlab::launcher
