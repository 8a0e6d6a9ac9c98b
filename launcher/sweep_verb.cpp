#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/gnuplot.h"
#include "eval/output_file.h"
#include "eval/sweep_charts.h"
#include "eval/sweep_output.h"
#include "launcher/each_file.h"
#include "launcher/job.h"
#include "launcher/job_options.h"
#include "launcher/kept_sweeps.h"
#include "launcher/options.h"
#include "launcher/sweep_curves.h"
#include "launcher/swept_run.h"
#include "launcher/temperature_list.h"
#include "launcher/verbs.h"
#include "launcher/weights_options.h"
#include "trainer/run_folder.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

struct SweepRequest {
  std::vector<std::string> folders;
  std::vector<trainer::Recipe> recipes;  ///< of the folders
  SweepWishes wishes;
  std::string out, figure;
  eval::FigureFormat format = eval::FigureFormat::svg;
  bool lowercase = false, json = false;
};

Options sweep_options() {
  Options options(
      "temperature-sweep --run DIR [--run DIR]... [options]",
      "BLEU by beam search, ECE and NLL of runs that translate, as functions of a temperature that divides\n"
      "the logits (the paper's fig. 4). What was worked out before is kept in DIR/temperature-sweep.json and\n"
      "not worked out again.");
  add_weights_options(
      add_job_options(options).list("run", "DIR", "run folder of a translator; may be repeated"))
      .value("split", "S", "validation or test; the recipe's evaluate.split without it")
      .value("temperatures", "LIST", "T,T,... or FROM:TO:COUNT, evenly spaced", "0.5:2:16")
      .value("beam", "N", "hypotheses that grow at once, as in translate", "4")
      .value("length-penalty", "A", "as in translate", "0.6")
      .value("batch-tokens", "N", "source tokens that go through the network together", "2048")
      .flag("lowercase", "show BLEU of lower-cased text, which is what the paper reports")
      .value("out", "FILE", "write the sweeps shown, all runs together, as JSON")
      .value("figure", "FILE", "draw the three curves; .svg, .png or .pdf")
      .flag("json", "print one JSON object, for several runs a list of them")
      .epilogue(
          "For example:\n"
          "  smoothlab temperature-sweep --run runs/hard --run runs/smooth --lowercase --figure fig4.svg");
  return options;
}

void read_runs(const Options& options, SweepRequest& request) {
  request.folders = options.texts("run");
  if (request.folders.empty())
    throw UsageError("no run given", "temperature-sweep", "usage: smoothlab temperature-sweep --run DIR");
  const auto files = cluster::local_file_system();
  std::set<std::filesystem::path> seen;
  for (const std::string& folder : request.folders) {
    if (!std::filesystem::is_directory(folder))
      throw DataError("no such run folder", folder, "train first, or check the path");
    if (!seen.insert(std::filesystem::weakly_canonical(folder)).second)
      throw UsageError("a run is given twice", folder, "give each run once");
    const std::string recipe = folder + "/recipe.yaml";
    if (!files->exists(recipe))
      throw DataError("the folder holds no run (no recipe.yaml)", folder,
                      "name the folder that train was given");
    request.recipes.push_back(trainer::recipe_of_run(*files, recipe));
    const std::string& task = request.recipes.back().task.data;
    if (task != "text" && task != "generated_text")
      throw UsageError("the run's task is '" + task + "', and only runs of text have a BLEU", folder,
                       "name runs of translators");
  }
}

SweepRequest read(const Options& options) {
  SweepRequest request;
  read_runs(options, request);
  SweepWishes& wishes = request.wishes;
  wishes.split = options.text("split");
  if (options.has("split") && wishes.split != "validation" && wishes.split != "test")
    throw UsageError("no references for the split '" + wishes.split + "'", "--split",
                     "choose validation or test");
  wishes.temperatures = temperature_list(options.text("temperatures"), "--temperatures");
  wishes.load = load_wish(options);
  wishes.beam.beam = options.integer("beam", 1, 10000);
  wishes.beam.length_penalty = options.number("length-penalty", 0, 10);
  eval::check(wishes.beam);
  wishes.batches.tokens = options.integer("batch-tokens", 1, INT64_C(1) << 40);
  wishes.batches.sentences = std::max<int64_t>(1, 512 / wishes.beam.beam);
  wishes.placement = placement_wish(options);
  request.lowercase = options.has("lowercase");
  request.json = options.has("json");
  return request;
}

/// What would fail at the end is better told at once.
void claim(const Options& options, SweepRequest& request) {
  std::vector<eval::Output> outputs;
  if (options.has("out")) {
    request.out = options.text("out");
    outputs.push_back({request.out, eval::OutputKind::sweeps});
  }
  if (options.has("figure")) {
    request.figure = options.text("figure");
    const std::string extension = std::filesystem::path(request.figure).extension().string();
    if (extension.empty())
      throw UsageError("the figure's name tells no format", request.figure, "end it in .svg, .png or .pdf");
    request.format = eval::figure_formats(extension.substr(1), "--figure").at(0);
    eval::require_gnuplot();
    outputs.push_back({request.figure, eval::output_kind(request.format)});
  }
  std::vector<std::string> kept;
  for (const std::string& folder : request.folders) kept.push_back(sweeps_file(folder));
  eval::claim_outputs(outputs, kept);
}

eval::ShownSweep shown(const SweepRequest& request, size_t run, const eval::TemperatureSweep& sweep) {
  return {request.folders[run], request.recipes[run].targets.alpha, sweep, request.lowercase};
}

void write_outputs(const SweepRequest& request, const std::vector<eval::TemperatureSweep>& sweeps) {
  const auto files = cluster::local_file_system();
  if (!request.out.empty()) {
    Json all;
    all["temperature_sweeps"] = Json::array();
    for (size_t run = 0; run < sweeps.size(); ++run)
      all["temperature_sweeps"].push_back(eval::to_json(shown(request, run, sweeps[run])));
    cluster::write_file_whole(*files, request.out, printed(all) + "\n");
  }
  if (request.figure.empty()) return;
  const auto charts =
      eval::sweep_charts(sweep_curves(request.folders, request.recipes, sweeps), request.lowercase);
  if (charts.empty())
    std::cerr << "warning: one temperature makes no curve: " << request.figure << " is not drawn\n";
  else
    cluster::write_file_whole(*files, request.figure,
                              eval::draw_charts("Temperature", charts, 3, request.format));
}

void print(const SweepRequest& request, const std::vector<eval::TemperatureSweep>& sweeps) {
  if (request.json) {
    Json all = Json::array();
    for (size_t run = 0; run < sweeps.size(); ++run)
      all.push_back(eval::to_json(shown(request, run, sweeps[run])));
    std::cout << printed(sweeps.size() == 1 ? all[0] : all) << std::endl;
    return;
  }
  for (size_t run = 0; run < sweeps.size(); ++run)
    std::cout << eval::to_text(shown(request, run, sweeps[run]));
  std::cout << (request.lowercase ? sweeps[0].lowercase_signature : sweeps[0].signature) << std::endl;
}

}  // namespace

int sweep_verb(const std::vector<std::string>& arguments) {
  Options options = sweep_options();
  if (!options.parse(arguments, 0, 0)) return 0;
  Job job = make_job(options, "temperature-sweep", arguments);
  SweepRequest request = read(options);
  claim(options, request);
  job.after_death = "what was worked out is kept in the run's folder; the same command goes on from there";
  return run_job(job, [&](cluster::Communicator& communicator, cluster::Log& log) {
    std::vector<eval::TemperatureSweep> sweeps;
    for (const std::string& folder : request.folders)
      sweeps.push_back(sweep_run(folder, request.wishes, communicator, log));
    if (communicator.is_root()) {
      write_outputs(request, sweeps);
      print(request, sweeps);
    }
    return 0;
  });
}

}  // namespace smoothlab::launcher
