#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/segment_file.h"
#include "eval/translation_scores.h"
#include "launcher/each_file.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

/// Throws UsageError for the first of the options that is there.
void refuse(const Options& options, const std::vector<const char*>& names, const std::string& problem,
            const std::string& remedy) {
  for (const char* name : names)
    if (options.given(name)) throw UsageError(problem, std::string("--") + name, remedy);
}

void refuse_what_does_nothing(const Options& options, const eval::ScoringOptions& wanted) {
  if (!wanted.bleu)
    refuse(options, {"tokenize", "smooth", "smooth-value", "lowercase"}, "BLEU is not among the metrics",
           "give --metrics bleu,chrf, or leave it out");
  if (!wanted.chrf)
    refuse(options,
           {"chrf-char-order", "chrf-word-order", "chrf-beta", "chrf-lowercase", "chrf-whitespace",
            "chrf-eps-smoothing"},
           "chrF is not among the metrics", "give --metrics chrf or bleu,chrf");
  if (wanted.resamples == 0)
    refuse(options, {"resamples", "seed"}, "there are no resamples", "give it with --confidence or --system");
}

eval::BleuOptions bleu_options(const Options& options) {
  eval::BleuOptions result;
  result.tokenization = eval::tokenization(options.text("tokenize"), "--tokenize");
  result.smoothing = eval::smoothing(options.text("smooth"), "--smooth");
  result.lowercase = options.has("lowercase");
  result.effective_order = options.has("sentence-level");
  if (options.has("smooth-value")) {
    if (result.smoothing != eval::Smoothing::floor && result.smoothing != eval::Smoothing::add_k)
      throw UsageError("smoothing '" + options.text("smooth") + "' has no value", "--smooth-value",
                       "give it with --smooth floor or --smooth add-k");
    result.smooth_value = options.number("smooth-value", 0, 1e9);
  }
  return result;
}

eval::ChrfOptions chrf_options(const Options& options) {
  eval::ChrfOptions result;
  result.character_order = static_cast<size_t>(options.integer("chrf-char-order", 1, 64));
  result.word_order = static_cast<size_t>(options.integer("chrf-word-order", 0, 64));
  result.beta = static_cast<int>(options.integer("chrf-beta", 1, 1000));
  result.lowercase = options.has("chrf-lowercase");
  result.white_space = options.has("chrf-whitespace");
  result.epsilon_smoothing = options.has("chrf-eps-smoothing");
  return result;
}

eval::ScoringOptions scoring_options(const Options& options) {
  eval::ScoringOptions result;
  const std::vector<std::string> known = {"bleu", "chrf"};
  std::istringstream list(options.text("metrics"));
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "bleu")
      result.bleu = bleu_options(options);
    else if (name == "chrf")
      result.chrf = chrf_options(options);
    else
      throw UsageError("unknown metric '" + name + "'", "--metrics", suggest_name(name, known));
  }
  if (!result.bleu && !result.chrf) throw UsageError("no metric", "--metrics", "use bleu, chrf or bleu,chrf");
  const bool several = options.has("system");
  result.each_segment = options.has("sentence-level");
  if (result.each_segment && (several || options.has("confidence")))
    throw UsageError("single segments have no statistics of a corpus", "--sentence-level",
                     "give it without --system and --confidence");
  if (result.each_segment && result.bleu && result.chrf)
    throw UsageError("one line a segment has room for one metric", "--sentence-level",
                     "give --metrics bleu or --metrics chrf");
  const auto resamples = static_cast<int>(options.integer("resamples", 2, 1000000));
  if (several || options.has("confidence")) result.resamples = resamples;
  result.seed = static_cast<uint64_t>(options.integer("seed", 0, INT64_MAX));
  refuse_what_does_nothing(options, result);
  return result;
}

/// Files are read once and in the order of the command line; the first of `names` is the baseline.
struct Corpus {
  std::deque<eval::SegmentFile> systems, references;
  eval::TranslatedCorpus text;
};

void require_distinct(const std::vector<std::string>& systems, const std::vector<std::string>& references) {
  for (size_t i = 0; i < systems.size(); ++i)
    if (std::find(systems.begin(), systems.begin() + static_cast<int64_t>(i), systems[i]) !=
        systems.begin() + static_cast<int64_t>(i))
      throw UsageError("a system is given twice", systems[i], "give each system once");
  if (std::count(systems.begin(), systems.end(), "-") +
          std::count(references.begin(), references.end(), "-") >
      1)
    throw UsageError("stdin can be read once", "-", "give one of the files as a path");
}

Corpus read_corpus(const std::vector<std::string>& systems, const std::vector<std::string>& references) {
  require_distinct(systems, references);
  Corpus corpus;
  const auto read = [](std::deque<eval::SegmentFile>& files, const std::string& path) {
    const auto& file = files.emplace_back(path);
    if (file.line_with_nul() > 0)
      std::cerr << "note: " << file.name() << ", line " << file.line_with_nul()
                << ": a NUL character, counted like any other" << std::endl;
  };
  for (const auto& path : systems) read(corpus.systems, path);
  for (const auto& path : references) read(corpus.references, path);
  for (const auto& file : corpus.references) eval::require_same_length(corpus.systems.front(), file);
  for (const auto& file : corpus.systems) {
    eval::require_same_length(file, corpus.references.front());
    corpus.text.system_names.push_back(file.name());
    corpus.text.systems.push_back(file.segments());
  }
  corpus.text.references.resize(corpus.systems.front().segments().size());
  for (const auto& file : corpus.references)
    for (size_t i = 0; i < file.segments().size(); ++i)
      corpus.text.references[i].push_back(file.segments()[i]);
  return corpus;
}

void warn_of_tokens(const Corpus& corpus) {
  for (const auto& file : corpus.systems)
    if (eval::looks_tokenized(file.segments()))
      std::cerr << "note: " << file.name()
                << " has 100 lines or more that end in ' .'; tokenised text scores differently: undo its\n"
                   "      tokens first, or give --force"
                << std::endl;
}

}  // namespace

int bleu_verb(const std::vector<std::string>& arguments) {
  Options options(
      "bleu HYPOTHESES REFERENCE... [--system FILE]... [--json]",
      "BLEU and chrF of a text file with one segment a line against one or several reference files, as\n"
      "sacreBLEU 2 computes them. HYPOTHESES may be - for stdin; names that end in .gz are unpacked. Further\n"
      "systems are compared with HYPOTHESES by paired bootstrap resampling.");
  options.list("system", "FILE", "hypotheses of a system to set against HYPOTHESES; may be repeated")
      .value("metrics", "LIST", "of bleu, chrf", "bleu")
      .value("tokenize", "NAME", "13a, none, char, intl", "13a")
      .value("smooth", "NAME", "exp, floor, add-k, none", "exp")
      .value("smooth-value", "X", "of floor (0.1 where not given) and add-k (1)")
      .flag("lowercase", "BLEU of lower-cased text")
      .flag("sentence-level", "a score for each line, BLEU with effective order")
      .value("chrf-char-order", "N", "longest n-gram of characters", "6")
      .value("chrf-word-order", "N", "longest n-gram of words; 2 is chrF++", "0")
      .value("chrf-beta", "N", "weight of recall", "2")
      .flag("chrf-lowercase", "chrF of lower-cased text")
      .flag("chrf-whitespace", "chrF counts white space too")
      .flag("chrf-eps-smoothing", "chrF smoothed by epsilon instead of effective order")
      .flag("confidence", "mean and 95 % interval over resamples; with --system always")
      .value("resamples", "N", "bootstrap resamples", "1000")
      .value("seed", "S", "of the resamples", "12345")
      .value("width", "N", "decimals of scores in text", "1")
      .flag("score-only", "print the scores alone")
      .flag("force", "no note about text that looks tokenised")
      .flag("json", "print one JSON object");
  if (!options.parse(arguments, 2, -1)) return 0;
  const auto wanted = scoring_options(options);
  eval::ScoreFormat format;
  format.decimals = static_cast<int>(options.integer("width", 0, 12));
  format.score_only = options.has("score-only");
  std::vector<std::string> systems = {options.words().front()};
  for (const auto& path : options.texts("system")) systems.push_back(path);
  const std::vector<std::string> references(options.words().begin() + 1, options.words().end());

  const Corpus corpus = read_corpus(systems, references);
  if (wanted.bleu && !options.has("force")) warn_of_tokens(corpus);
  const auto scores = eval::score_translations(corpus.text, wanted);
  if (options.has("json")) {
    nlohmann::json json = eval::to_json(scores);
    json["references"] = references;
    std::cout << printed(json) << std::endl;
  } else {
    std::cout << eval::to_text(scores, format) << std::flush;
  }
  return 0;
}

}  // namespace smoothlab::launcher
