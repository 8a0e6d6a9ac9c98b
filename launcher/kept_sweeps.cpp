#include "launcher/kept_sweeps.h"

namespace smoothlab::launcher {

std::string sweeps_file(const std::string& folder) {
  return folder + "/temperature-sweep.json";
}

std::vector<eval::TemperatureSweep> read_sweeps(const cluster::FileSystem& files, const std::string& folder) {
  const std::string path = sweeps_file(folder);
  if (!files.exists(path)) return {};
  return eval::parse_sweeps(files.read(path), path);
}

void take_known(const std::vector<eval::TemperatureSweep>& kept, const std::vector<double>& temperatures,
                eval::TemperatureSweep& sweep) {
  for (const double temperature : temperatures) sweep.point(temperature);
  for (const eval::TemperatureSweep& earlier : kept) {
    if (!(earlier.origin == sweep.origin)) continue;
    sweep.signature = earlier.signature;
    sweep.lowercase_signature = earlier.lowercase_signature;
    for (eval::SweepPoint& point : sweep.points)
      if (const auto* known = earlier.at(point.temperature)) point = *known;
  }
}

void keep_sweep(cluster::FileSystem& files, const std::string& folder, const eval::TemperatureSweep& sweep) {
  auto all = read_sweeps(files, folder);
  eval::merge_sweep(all, sweep);
  cluster::write_file_whole(files, sweeps_file(folder), eval::sweeps_text(all));
}

}  // namespace smoothlab::launcher
