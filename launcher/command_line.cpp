#include "launcher/command_line.h"

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cluster/build_info.h"
#include "cluster/error.h"
#include "cluster/failure.h"
#include "cluster/nearest_name.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

void print_help(std::ostream& out) {
  out << "usage: smoothlab VERB [arguments]\n\n"
         "Trains classifiers and translators on soft targets over many ranks, keeps every logit, and shows what label\n"
         "smoothing did to accuracy and calibration.\n\nVerbs\n";
  for (const auto& verb : verbs())
    out << "  " << verb.name << std::string(19 - std::string(verb.name).size(), ' ') << verb.summary << '\n';
  out << "\nsmoothlab VERB --help says more. Exit codes: 0 done, 2 usage or recipe, 3 input data,\n"
         "4 environment, 75 checkpointed and wants to be requeued, 1 anything else.\n";
}

int run_verb(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_help(std::cerr);
    return static_cast<int>(ExitCode::usage);
  }
  const std::string& name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(std::cout);
    return 0;
  }
  if (name == "--version") {
    std::cout << "smoothlab " << cluster::code_version() << '\n';
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& verb : verbs()) {
    if (name == verb.name) return verb.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(verb.name);
  }
  throw UsageError("unknown verb '" + name + "'", "command line", suggest_name(name, names));
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"train", "trains a network as a recipe says", train_verb},
      {"study", "trains a grid of runs that depend on each other, and collects what they came to",
       study_verb},
      {"evaluate", "runs a split through a trained network and streams a logit file", evaluate_verb},
      {"translate", "translates lines of text with a trained network", translate_verb},
      {"calibrate", "accuracy, NLL, Brier, ECE and temperature of logit files", calibrate_verb},
      {"project", "penultimate projections of three classes, from logit files", project_verb},
      {"information", "mutual information of examples and logits, from repeated draws", information_verb},
      {"bleu", "BLEU and chrF of translations, as sacreBLEU computes them", bleu_verb},
      {"temperature-sweep", "BLEU, ECE and NLL of translators over temperatures", sweep_verb},
      {"report", "one page that sets runs beside the paper", report_verb},
      {"logits", "packs and describes logit files", logits_verb},
      {"data", "fetches and verifies data sets, prepares text and ImageNet", data_verb},
      {"doctor", "what this build and machine have, and what is missing for what", doctor_verb},
  };
  return all;
}

int run_command_line(int argc, char** argv) {
  // A file that outgrows its limit is an error of its own, like a full disk, and no reason to die without a
  // word.
  std::signal(SIGXFSZ, SIG_IGN);
  // Inherited as ignored, the ends of children would never be told.
  std::signal(SIGCHLD, SIG_DFL);
  int code = 0;
  try {
    code = run_verb({argv + 1, argv + argc});
    std::cout.flush();
    if (!std::cout)
      throw EnvironmentError("cannot write the results", "stdout", "free space or check the pipe");
  } catch (const std::exception& failure) {
    const Error error = cluster::as_error(failure);
    std::cerr << "error: " << error.what() << std::endl;
    code = static_cast<int>(error.code());
  }
  return code;
}

}  // namespace smoothlab::launcher
