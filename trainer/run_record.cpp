#include "trainer/run_record.h"

#include <filesystem>

#include "cluster/error.h"
#include "eval/shard_names.h"
#include "trainer/run_folder.h"

namespace smoothlab::trainer {
namespace {

namespace fs = std::filesystem;

void add_runs(const cluster::FileSystem& files, const std::string& folder, std::vector<std::string>& runs) {
  if (files.exists(folder + "/recipe.yaml")) {
    runs.push_back(folder);
    return;
  }
  std::error_code none;
  for (const std::string& name : files.list(folder))
    if (name.front() != '.' && fs::is_directory(fs::path(folder) / name, none))
      add_runs(files, folder + "/" + name, runs);
}

bool is_logit_file(const std::string& name) {
  return fs::path(name).extension() == ".h5" && !eval::shard_name(name);
}

}  // namespace

RunRecord read_run_record(const cluster::FileSystem& files, const std::string& folder) {
  RunRecord record;
  record.folder = folder;
  record.recipe = recipe_of_run(files, folder + "/recipe.yaml");
  try {
    record.metrics = read_metrics(files, folder + "/metrics.jsonl");
  } catch (const DataError& error) {
    record.problem = error.what();
  }
  record.summary = read_summary(files, folder);
  record.teacher = read_teacher_record(files, folder);
  const std::string logits = folder + "/logits";
  for (const std::string& name : files.list(logits))
    if (is_logit_file(name)) record.logits.push_back(logits + "/" + name);
  return record;
}

std::vector<std::string> find_runs(const cluster::FileSystem& files, const std::string& folder) {
  std::error_code none;
  if (!fs::is_directory(folder, none))
    throw DataError("no such folder", folder, "name a run's folder, or one that holds runs");
  std::vector<std::string> runs;
  std::string trimmed = folder;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  add_runs(files, trimmed, runs);
  if (runs.empty())
    throw DataError("there is no run in this folder", folder,
                    "train first; a run's folder has a recipe.yaml");
  return runs;
}

}  // namespace smoothlab::trainer
