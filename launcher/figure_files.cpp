#include "launcher/figure_files.h"

#include <cctype>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/gnuplot.h"
#include "eval/output_file.h"

namespace smoothlab::launcher {

void FigureFiles::add_options(Options& options, const std::string& what) {
  options.value("figures", "DIR", "write figures of the " + what + " into this folder")
      .value("format", "LIST", "of svg, png, pdf: what figures are written as", "svg,png");
}

FigureFiles::FigureFiles(const Options& options, const std::vector<std::string>& names,
                         const std::vector<std::string>& inputs)
    : formats_(eval::figure_formats(options.text("format"), "--format")) {
  if (!options.has("figures")) return;
  folder_ = options.text("figures");
  if (folder_.empty()) throw UsageError("the folder has no name", "--figures", "name a folder");
  eval::require_gnuplot();
  std::vector<eval::Output> outputs;
  for (const auto& name : names)
    for (const auto format : formats_)
      outputs.push_back({folder_ + "/" + name + "." + eval::name_of(format), eval::output_kind(format)});
  eval::claim_outputs(outputs, inputs);
}

void FigureFiles::write(const std::string& name, const std::string& title,
                        const std::vector<eval::Chart>& charts, int columns) const {
  if (folder_.empty() || charts.empty()) return;
  for (const auto format : formats_)
    cluster::write_file_whole(*cluster::local_file_system(),
                              folder_ + "/" + name + "." + eval::name_of(format),
                              eval::draw_charts(title, charts, columns, format));
}

std::string name_in_file(const std::vector<std::string>& words) {
  std::string name;
  for (const auto& word : words) {
    if (!name.empty()) name += "-";
    for (const char c : word)
      name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' ? c : '_';
  }
  return name;
}

}  // namespace smoothlab::launcher
