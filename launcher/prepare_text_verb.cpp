#include <algorithm>
#include <chrono>
#include <iostream>

#include "cluster/duration.h"
#include "cluster/error.h"
#include "cluster/log.h"
#include "cluster/nearest_name.h"
#include "data/prepare_text.h"
#include "data/word_pieces.h"
#include "launcher/corpus_summary.h"
#include "launcher/each_file.h"
#include "launcher/options.h"
#include "launcher/text_verbs.h"

namespace smoothlab::launcher {
namespace {

constexpr int64_t many = int64_t{1} << 40;

std::string option_name(const std::string& split, const std::string& what) {
  return split.empty() ? what : split + "-" + what;
}

/// Files of a split, in the order in which they were given.
std::vector<data::TextFiles> text_files(const Options& options, const std::string& split,
                                        int64_t source_column, int64_t target_column) {
  const auto sources = options.texts(option_name(split, "source"));
  const auto targets = options.texts(option_name(split, "target"));
  if (sources.size() != targets.size())
    throw UsageError(fmt::format("{} files for --{} and {} for --{}", sources.size(),
                                 option_name(split, "source"), targets.size(), option_name(split, "target")),
                     "data prepare text", "name them in pairs, each the translation of the other");
  std::vector<data::TextFiles> files;
  for (size_t i = 0; i < sources.size(); ++i) files.push_back({sources[i], targets[i], ""});
  for (const auto& pairs : options.texts(option_name(split, "pairs")))
    files.push_back({"", "", pairs, source_column, target_column});
  return files;
}

std::pair<int64_t, int64_t> columns(const Options& options) {
  const auto numbers = options.numbers("columns", 1, 1000);
  const auto whole = [](double number) {
    return number == static_cast<double>(static_cast<int64_t>(number));
  };
  if (numbers.size() != 2 || !whole(numbers[0]) || !whole(numbers[1]) || numbers[0] == numbers[1])
    throw UsageError("'" + options.text("columns") + "' is not a value for --columns", "data prepare text",
                     "give the columns of source and target, such as 1,2");
  return {static_cast<int64_t>(numbers[0]), static_cast<int64_t>(numbers[1])};
}

/// What comes after the last dot of a file's name, .gz aside: "de" of train.de.gz.
std::string language_of(std::string path) {
  path = path.substr(path.find_last_of('/') + 1);
  if (path.size() > 3 && path.substr(path.size() - 3) == ".gz") path.resize(path.size() - 3);
  const size_t dot = path.find_last_of('.');
  return dot == std::string::npos ? "" : path.substr(dot + 1);
}

void name_languages(const Options& options, data::PrepareTextOptions& prepare) {
  if (options.has("languages")) {
    const std::string both = options.text("languages");
    const size_t comma = both.find(',');
    if (comma == 0 || comma == std::string::npos || comma + 1 == both.size() ||
        both.find(',', comma + 1) != std::string::npos)
      throw UsageError("'" + both + "' is not a value for --languages", "data prepare text",
                       "give two names, such as en,de");
    prepare.source_language = both.substr(0, comma);
    prepare.target_language = both.substr(comma + 1);
    return;
  }
  if (prepare.train.empty() || !prepare.train[0].pairs.empty()) return;
  const std::string source = language_of(prepare.train[0].source),
                    target = language_of(prepare.train[0].target);
  if (source.empty() || target.empty() || source == target) return;
  prepare.source_language = source;
  prepare.target_language = target;
}

void name_vocabularies(const Options& options, data::PrepareTextOptions& prepare) {
  const bool is_given = options.has("vocabulary") || options.has("target-vocabulary");
  for (const char* name : {"separate-vocabularies", "vocabulary-size", "vocabulary-type", "coverage"})
    if (is_given && options.has(name))
      throw UsageError(
          std::string("--vocabulary names one that exists, and --") + name + " is for one to be trained",
          "data prepare text", "leave out one of the two");
  prepare.source_vocabulary = prepare.target_vocabulary = options.text("vocabulary");
  if (options.has("target-vocabulary")) prepare.target_vocabulary = options.text("target-vocabulary");
  prepare.separate_vocabularies = options.has("separate-vocabularies");
  if (options.has("vocabulary-size")) prepare.pieces.size = options.integer("vocabulary-size", 8, 1000000);
  if (options.has("vocabulary-type")) prepare.pieces.type = options.text("vocabulary-type");
  if (options.has("coverage")) prepare.pieces.coverage = options.number("coverage", 0.9, 1);
  prepare.pieces.most_sentences = options.integer("vocabulary-sentences", 1, many);
}

data::PrepareTextOptions read(const Options& options) {
  data::PrepareTextOptions prepare;
  prepare.out = options.text("out");
  const auto [source_column, target_column] = columns(options);
  prepare.train = text_files(options, "", source_column, target_column);
  prepare.validation = text_files(options, "validation", source_column, target_column);
  prepare.test = text_files(options, "test", source_column, target_column);
  name_languages(options, prepare);
  name_vocabularies(options, prepare);
  prepare.longest = options.integer("longest", 0, many);
  prepare.ratio = options.number("ratio", 0, 1e6);
  if (prepare.ratio > 0 && prepare.ratio < 1)
    throw UsageError("a ratio of less than 1 drops every pair", "data prepare text",
                     "--ratio is of the longer side to the shorter one");
  prepare.hold_out = options.integer("hold-out", 0, many);
  prepare.hold_out_test = options.integer("hold-out-test", 0, many);
  prepare.seed = static_cast<uint64_t>(options.integer("seed", 0, INT64_MAX));
  prepare.pieces.seed = prepare.seed;
  prepare.strict = options.has("strict");
  prepare.force = options.has("force");
  return prepare;
}

/// The corpus has a copy of a vocabulary that was given; errors about it are to name the file that a person
/// knows.
void check_vocabularies(const data::PrepareTextOptions& prepare) {
  if (prepare.source_vocabulary.empty()) return;
  data::WordPieces{prepare.source_vocabulary};
  if (prepare.target_vocabulary != prepare.source_vocabulary) data::WordPieces{prepare.target_vocabulary};
}

bool has_split(const data::CorpusManifest& manifest, const std::string& name) {
  return std::any_of(manifest.splits.begin(), manifest.splits.end(),
                     [&](const data::SplitSummary& split) { return split.name == name; });
}

/// What comes after the last line of progress, which tells of some part of the work.
void tell_end(cluster::Log& log, const data::PrepareTextResult& result, double seconds) {
  if (result.already_there)
    log.info("the corpus was there already, and whole");
  else
    log.info("prepared in {}", cluster::duration_text(seconds));
  if (!has_split(result.manifest, "validation") && !has_split(result.manifest, "test"))
    log.warning(
        "the corpus has nothing to evaluate on, and training evaluates: give --validation-source or --hold-out");
}

/// "train  120000 pairs, 48 %, 52000 pairs/s"
class ProgressLine {
 public:
  explicit ProgressLine(cluster::Log& log) : log_(log) {}
  void operator()(const data::PrepareProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (progress.stage != stage_) {
      stage_ = progress.stage;
      began_ = now;
    }
    if (progress.total == 0) {
      log_.progress(progress.stage + ", which takes a while");
      return;
    }
    const double seconds = std::chrono::duration<double>(now - began_).count();
    std::string line = fmt::format("{}  {} pairs, {} %", progress.stage, progress.pairs,
                                   100 * progress.bytes / progress.total);
    if (seconds > 0.2) line += fmt::format(", {:.0f} pairs/s", static_cast<double>(progress.pairs) / seconds);
    log_.progress(line);
  }

 private:
  cluster::Log& log_;
  std::string stage_;
  std::chrono::steady_clock::time_point began_;
};

Options prepare_options() {
  Options options(
      "data prepare text --source FILE --target FILE --out DIR [options]",
      "Turns parallel text into a corpus of token ids that training reads: trains a SentencePiece vocabulary on\n"
      "the training pairs (or takes one that exists), encodes every split, and keeps the plain text of what is\n"
      "evaluated.\n\n"
      "A pair is a line in each of two files (--source, --target), or a line of one with a tab between the two\n"
      "(--pairs). Files are UTF-8, plain or .gz; these options can be repeated.");
  options.list("source", "FILE", "training sentences, one a line")
      .list("target", "FILE", "their translations, line by line")
      .list("pairs", "FILE", "instead: one file with source and target separated by a tab")
      .list("validation-source", "FILE", "the same for the validation split")
      .list("validation-target", "FILE", "")
      .list("validation-pairs", "FILE", "")
      .list("test-source", "FILE", "the same for the test split")
      .list("test-target", "FILE", "")
      .list("test-pairs", "FILE", "")
      .value("columns", "S,T", "which columns of --pairs are source and target", "1,2")
      .value("languages", "S,T", "what the languages are called; without it the ends of the files' names")
      .value("out", "DIR", "the corpus's folder")
      .value("vocabulary", "FILE", "a SentencePiece model that exists, for both languages")
      .value("target-vocabulary", "FILE", "one of its own for the target")
      .value("vocabulary-size", "N", "pieces of a vocabulary to be trained; 8000 without it")
      .value("vocabulary-type", "TYPE", "unigram (what is done without it) or bpe")
      .flag("separate-vocabularies", "train one for each language instead of one for both")
      .value("coverage", "SHARE", "of the characters of the text that get pieces of their own; 1 without it")
      .value("vocabulary-sentences", "N", "train the vocabulary on at most so many sentences", "2000000")
      .value("longest", "N", "most tokens a side of a training pair; 0: any", "250")
      .value("ratio", "R", "most tokens of the longer side for one of the shorter, in training; 0: any", "0")
      .value("hold-out", "N", "take about N pairs from training for validation", "0")
      .value("hold-out-test", "N", "and about N for a test", "0")
      .value("seed", "N", "of what is held out, and of the choice of --vocabulary-sentences", "1")
      .flag("strict", "a pair that would be dropped ends the command instead")
      .flag("force", "replace a corpus that is there")
      .flag("json", "print one JSON object")
      .epilogue(
          "Pairs with an empty side are dropped everywhere, those too long or unequal only in training; which and\n"
          "how many is printed. What is held out is chosen by source sentence: its translations stay together.\n"
          "The same files and options make the same corpus, byte by byte.\n\n"
          "For example:\n"
          "  smoothlab data prepare text --source train.en --target train.de --out corpora/en-de \\\n"
          "    --validation-source val.en --validation-target val.de --vocabulary-size 8000\n"
          "  smoothlab data prepare text --pairs deu.txt --languages en,de --out corpora/tatoeba \\\n"
          "    --hold-out 2000 --hold-out-test 2000 --vocabulary-size 16000");
  return options;
}

}  // namespace

int prepare_text_verb(const std::vector<std::string>& arguments) {
  Options options = prepare_options();
  if (!options.parse(arguments, 1, 1)) return 0;
  if (options.words()[0] != "text")
    throw UsageError("cannot prepare '" + options.words()[0] + "'", "data prepare",
                     suggest_name(options.words()[0], {"text", "imagenet"}));
  const auto prepare = read(options);
  check_vocabularies(prepare);
  cluster::Log log(0);
  ProgressLine line(log);
  const auto began = std::chrono::steady_clock::now();
  const auto result = data::prepare_text(*cluster::local_file_system(), prepare,
                                         [&line](const data::PrepareProgress& progress) { line(progress); });
  log.progress_done();
  tell_end(log, result, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  if (options.has("json")) {
    auto json = corpus_json(prepare.out, result.manifest);
    json["already_there"] = result.already_there;
    std::cout << printed(json) << '\n';
  } else {
    std::cout << corpus_text(prepare.out, result.manifest);
  }
  return 0;
}

}  // namespace smoothlab::launcher
