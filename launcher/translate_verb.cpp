#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "cluster/device.h"
#include "cluster/error.h"
#include "cluster/file_system.h"
#include "launcher/job.h"
#include "launcher/job_options.h"
#include "launcher/line_translator.h"
#include "launcher/loaded_on_all.h"
#include "launcher/lost_reader.h"
#include "launcher/options.h"
#include "launcher/run_pieces.h"
#include "launcher/verbs.h"
#include "launcher/weights_options.h"
#include "models/safetensors.h"
#include "models/translation_network.h"

namespace smoothlab::launcher {
namespace {

struct TranslateRequest {
  std::string folder;
  trainer::LoadOptions load;
  cluster::PlacementWish placement;
  std::chrono::seconds stall_limit{0};
  LineTranslation translation;
};

constexpr int64_t many = int64_t{1} << 40;

Options translate_options() {
  Options options(
      "translate --run DIR [FILE] [options]",
      "Translates text, a sentence a line, from a file or stdin (-, or no name) to stdout, line by line and in\n"
      "order, with the best checkpoint of a run that chooses (checkpoint.best), else its newest whole one. An\n"
      "empty line gives an empty line.");
  add_weights_options(add_job_options(options).value("run", "DIR", "run folder of a translator"))
      .value("beam", "N", "hypotheses that grow at once; 1: greedy", "4")
      .value("length-penalty", "A", "rank by log P / ((5 + L) / 6)^A, L tokens with the end token; 0: log P",
             "0.6")
      .value("temperature", "T", "divides the logits, in the search", "1")
      .value("n-best", "N", "print N translations of a line, the best first, each after the line's number")
      .flag("sample", "draw translations instead of searching for the best")
      .value("top-k", "K", "with --sample: among the K most probable tokens; all without it")
      .value("seed", "S", "with --sample: of the draws; 1 without it")
      .value("longest-extra", "N", "most tokens of a translation beyond those of its source", "50")
      .value("shortest", "N", "least tokens of a translation, also where that is more than the most", "0")
      .value("longest-source", "N",
             "most tokens of a line; a longer one gives an empty line, and a warning names it; 16384 at most",
             "1024")
      .value("batch-tokens", "N", "source tokens that go through the network together", "2048")
      .flag("scores", "print score and log probability before each translation")
      .flag("json", "print one JSON object a line")
      .epilogue(
          "Lines are translated as they come, few at first and then some thousand at a time; whoever types\n"
          "gets each one's translation at once. What is printed depends on the text, the weights and the\n"
          "options only, not on ranks, threads, batches and how the lines come.\n\n"
          "For example:\n"
          "  smoothlab translate --run runs/en-de news.en > news.de\n"
          "  echo 'A small house.' | smoothlab translate --run runs/en-de --n-best 4 --scores");
  return options;
}

void only_with_sample(const Options& options) {
  for (const char* name : {"top-k", "seed"})
    if (options.has(name) && !options.has("sample"))
      throw UsageError(std::string("--") + name + " is for drawn translations", "translate",
                       "add --sample, or leave it out");
  // Options with a standard are always there: what differs from it was given.
  if (options.has("sample") && (options.text("beam") != "4" || options.text("length-penalty") != "0.6"))
    throw UsageError("--beam and --length-penalty are of a search, and --sample draws", "translate",
                     "leave out the one or the other");
}

eval::TranslationOptions translation_options(const Options& options) {
  only_with_sample(options);
  eval::SearchOptions search;
  search.temperature = options.number("temperature", 1e-3, 1e3);
  if (options.has("n-best")) search.n = options.integer("n-best", 1, 10000);
  search.longest_extra = options.integer("longest-extra", 0, 1000000);
  search.shortest = options.integer("shortest", 0, 1000000);
  eval::TranslationOptions how;
  how.batches.tokens = options.integer("batch-tokens", 1, many);
  if (options.has("sample")) {
    eval::SamplingOptions sampling;
    static_cast<eval::SearchOptions&>(sampling) = search;
    if (options.has("seed")) sampling.seed = static_cast<uint64_t>(options.integer("seed", 0, INT64_MAX));
    if (options.has("top-k")) sampling.top_k = options.integer("top-k", 1, many);
    eval::check(sampling);
    how.sampling = sampling;
  } else {
    static_cast<eval::SearchOptions&>(how.beam) = search;
    how.beam.beam = options.integer("beam", 1, 10000);
    how.beam.length_penalty = options.number("length-penalty", 0, 10);
    eval::check(how.beam);
  }
  // Short sentences must not make more lanes than memory and caches like.
  const int64_t lanes = how.sampling ? how.sampling->n : how.beam.beam;
  how.batches.sentences = std::max<int64_t>(1, 512 / lanes);
  return how;
}

TranslateRequest read(const Options& options) {
  TranslateRequest request;
  request.folder = options.text("run");
  if (request.folder.empty())
    throw UsageError("no run given", "translate", "usage: smoothlab translate --run DIR [FILE]");
  if (!std::filesystem::is_directory(request.folder))
    throw DataError("no such run folder", request.folder, "train first, or check the path");
  request.load = load_wish(options);
  request.placement = placement_wish(options);
  LineTranslation& translation = request.translation;
  if (!options.words().empty()) translation.path = options.words()[0];
  if (translation.path != "-" && !std::filesystem::exists(translation.path))
    throw DataError("no such file", translation.path, "name a text file, or - for stdin");
  translation.how = translation_options(options);
  translation.longest_source = options.integer("longest-source", 1, 16384);
  translation.format.json = options.has("json");
  translation.format.scores = options.has("scores");
  translation.format.several = options.has("n-best");
  return request;
}

void print(const std::string& lines, cluster::Log& log) {
  if (isatty(STDOUT_FILENO) != 0) log.progress_done();  // or they would stand on one line
  if (std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size() && std::fflush(stdout) == 0) return;
  const int error = errno;
  log.progress_done();
  if (error == EPIPE) end_of_broken_pipe();
  throw EnvironmentError(std::string("cannot write the translations: ") + std::strerror(error), "stdout",
                         "free space");
}

/// Sentences are spread over ranks, but the cores over which they compute are as many as before.
void warn_of_ranks(int ranks) {
  const int cores = cluster::available_cores();
  if (cluster::started_as_rank() || std::getenv("SLURM_JOB_ID") || ranks <= cores) return;
  cluster::Log(0).warning(
      "{} ranks on {} {}: more ranks than cores are no faster, and each holds the weights", ranks, cores,
      cores == 1 ? "core" : "cores");
}

int translate_rank(TranslateRequest request, cluster::Communicator& communicator, cluster::Log& log) {
  const auto run = load_on_all(request.folder, request.load, communicator, log);
  auto* const network = dynamic_cast<models::TranslationNetwork*>(run.network.get());
  if (!network)
    throw UsageError("the run's network '" + run.recipe.model.name + "' does not translate", request.folder,
                     "name a run of a translator");
  const auto weights = models::read_safetensors(*cluster::local_file_system(), run.weights.front()).metadata;
  const RunPieces pieces = open_run_pieces(run.recipe.task, weights);
  LineTranslation& translation = request.translation;
  translation.source = pieces.source->vocabulary();
  translation.target = pieces.target->vocabulary();
  if (translation.target.size != network->classes())
    throw DataError(fmt::format("a vocabulary of {} pieces for a network that predicts {}",
                                translation.target.size, network->classes()),
                    pieces.target->path(), "bring back the corpus that the run was trained on");

  const auto placement = cluster::place_rank(communicator, "cpu", request.placement);
  cluster::apply(placement);
  translation.how.threads = placement.threads;
  if (communicator.size() > 1) {
    const std::chrono::milliseconds third = request.stall_limit / 3;
    translation.window.any = std::chrono::seconds(5);
    if (third.count() > 0) translation.window.any = std::min(translation.window.any, third);
  }
  const TextCoding coding = {
      [&pieces](const std::string& text) { return pieces.source->encode(text); },
      [&pieces](const std::vector<int32_t>& tokens) { return pieces.target->decode(tokens); }};
  translate_lines(*network, translation, coding, communicator, log,
                  [&log](const std::string& lines) { print(lines, log); });
  return 0;
}

}  // namespace

int translate_verb(const std::vector<std::string>& arguments) {
  Options options = translate_options();
  if (!options.parse(arguments, 0, 1)) return 0;
  Job job = make_job(options, "translate", arguments);
  TranslateRequest request = read(options);
  request.stall_limit = job.stall_limit;
  job.is_filter = true;
  job.reads_stdin = request.translation.path == "-";
  job.after_death = "what is on stdout is whole lines; translate the rest again";
  warn_of_ranks(job.ranks);
  if (job.reads_stdin && !cluster::started_as_rank() && isatty(STDIN_FILENO) != 0)
    cluster::Log(0).info("reading sentences from the terminal, a line each; Ctrl-D ends");
  return run_job(job, [&](cluster::Communicator& communicator, cluster::Log& log) {
    return translate_rank(request, communicator, log);
  });
}

}  // namespace smoothlab::launcher
