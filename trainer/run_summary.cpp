#include "trainer/run_summary.h"

#include <nlohmann/json.hpp>

#include "cluster/build_info.h"
#include "cluster/error.h"
#include "cluster/gpu.h"
#include "cluster/machine_probe.h"

namespace smoothlab::trainer {
namespace {

using Json = nlohmann::ordered_json;

RunSummary summary_of(const Json& json) {
  RunSummary s;
  s.step = json.at("step");
  s.seconds = json.at("seconds");
  s.samples_per_second = json.at("samples_per_second");
  s.parameters = json.at("parameters");
  s.ranks = json.at("ranks");
  s.threads = json.at("threads");
  s.device = json.at("device");
  s.processor = json.at("processor");
  s.precision = json.at("precision");
  s.backend = json.at("backend");
  s.code_version = json.at("code_version");
  s.torch_version = json.at("torch_version");
  s.recipe_hash = json.at("recipe_hash");
  if (const Json best = json.value("best", Json()); !best.is_null())
    s.best = RunSummary::Best{best.at("metric"), best.at("step")};
  if (!json.at("evaluation").is_null()) s.evaluation = evaluation_of(json.at("evaluation"));
  return s;
}

}  // namespace

RunSummary begun_summary(const Recipe& recipe, const models::Network& network,
                         const cluster::Communicator& communicator, const cluster::Placement& placement) {
  const bool gpu = placement.device.is_cuda();
  RunSummary summary;
  summary.parameters = network.parameter_count();
  summary.ranks = communicator.size();
  summary.threads = placement.threads;
  summary.device = gpu ? "cuda" : "cpu";
  summary.processor = gpu ? cluster::gpu_name(placement.device.index()) : cluster::processor_name();
  summary.precision = recipe.train.precision;
  summary.backend = communicator.backend();
  summary.code_version = cluster::code_version();
  summary.torch_version = cluster::torch_version();
  summary.recipe_hash = recipe_hash(recipe);
  return summary;
}

std::string summary_path(const std::string& folder) {
  return folder + "/summary.json";
}

void write_summary(cluster::FileSystem& files, const std::string& folder, const RunSummary& s) {
  Json json = {{"step", s.step},
               {"seconds", s.seconds},
               {"samples_per_second", s.samples_per_second},
               {"parameters", s.parameters},
               {"ranks", s.ranks},
               {"threads", s.threads},
               {"device", s.device},
               {"processor", s.processor},
               {"precision", s.precision},
               {"backend", s.backend},
               {"code_version", s.code_version},
               {"torch_version", s.torch_version},
               {"recipe_hash", s.recipe_hash},
               {"best", nullptr},
               {"evaluation", nullptr}};
  if (s.best) json["best"] = {{"metric", s.best->metric}, {"step", s.best->step}};
  if (s.evaluation) json["evaluation"] = to_json(*s.evaluation);
  cluster::write_file_whole(files, summary_path(folder), json.dump(2) + "\n");
}

std::optional<RunSummary> read_summary(const cluster::FileSystem& files, const std::string& folder) {
  const std::string path = summary_path(folder);
  if (!files.exists(path)) return std::nullopt;
  try {
    return summary_of(Json::parse(files.read(path)));
  } catch (const Json::exception&) {
    throw DataError("this is no summary of a run, or a damaged one", path,
                    "remove the file and resume the run, which then writes it again");
  }
}

}  // namespace smoothlab::trainer
