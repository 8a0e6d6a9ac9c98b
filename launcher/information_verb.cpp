#include <iostream>
#include <nlohmann/json.hpp>

#include "eval/information_report.h"
#include "launcher/each_file.h"
#include "launcher/figure_files.h"
#include "launcher/given_files.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {

int information_verb(const std::vector<std::string>& arguments) {
  Options options(
      "information FILE... --classes A,B [--figures DIR] [--json]",
      "The paper's estimate of the mutual information between which example it is and the difference of\n"
      "two logits under augmentation, in nats. Of logit files in which every sample of two classes has\n"
      "several rows, as training writes them with a block `information:` in the recipe. Files of several\n"
      "steps are drawn against steps, a line for each run.");
  options.list("classes", "A,B", "two names or numbers of classes")
      .value("threads", "N", "0: as many as there are cores", "0");
  FigureFiles::add_options(options, "information against steps");
  options.flag("json", "print one JSON object, for several files a list of them").epilogue(each_file_help());
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto classes = eval::split_classes(options.texts("classes"), 2, "--classes");
  const int threads = static_cast<int>(options.integer("threads", 0, 1024));
  const bool one_given = options.words().size() == 1;
  const auto files = whole_files(options.words());
  const std::string name = "information-" + name_in_file(classes);
  const FigureFiles figures(options, {name}, options.words());

  std::vector<eval::InformationReport> reports;
  const int code = for_each_file(files, [&](const std::string& path) {
    reports.push_back(eval::analyse_information(eval::LogitFile(path), classes, threads));
  });
  if (options.has("json")) {
    print_each(reports, one_given);
  } else {
    std::cout << eval::to_table(reports) << std::flush;
  }
  if (!reports.empty()) figures.write(name, "", {eval::information_chart(reports)}, 1);
  return code;
}

}  // namespace smoothlab::launcher
