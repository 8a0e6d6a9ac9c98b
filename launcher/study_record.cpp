#include "launcher/study_record.h"

#include <nlohmann/json.hpp>

#include "launcher/run_values.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

std::string record_path(const std::string& folder) {
  return folder + "/study.json";
}

}  // namespace

void write_record(cluster::FileSystem& files, const StudyPlan& plan, const std::set<std::string>& done) {
  Json runs = Json::array();
  for (const StudyRun& run : plan.runs) {
    Json after = Json::array();
    for (const size_t other : run.after) after.push_back(plan.runs[other].name);
    runs.push_back({{"run", run.name},
                    {"stage", plan.stages[run.stage]},
                    {"values", values_json(run.values)},
                    {"after", after},
                    {"done", done.count(run.name) > 0}});
  }
  const Json record = {{"study", plan.name}, {"file", plan.path}, {"stages", plan.stages}, {"runs", runs}};
  cluster::write_file_whole(files, record_path(plan.folder),
                            record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::set<std::string> recorded_as_done(const cluster::FileSystem& files, const std::string& folder) {
  std::set<std::string> done;
  if (!files.exists(record_path(folder))) return done;
  const Json record = Json::parse(files.read(record_path(folder)), nullptr, false);
  if (!record.is_object() || !record.contains("runs")) return done;
  for (const auto& run : record["runs"])
    if (run.is_object() && run.value("done", Json()) == true && run.value("run", Json()).is_string())
      done.insert(run["run"]);
  return done;
}

}  // namespace smoothlab::launcher
