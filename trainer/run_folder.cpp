#include "trainer/run_folder.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

void flatten(const YAML::Node& node, const std::string& key, Entries& entries) {
  if (node.IsMap()) {
    for (const auto& member : node) {
      const auto name = member.first.as<std::string>();
      flatten(member.second, key.empty() ? name : key + "." + name, entries);
    }
  } else if (node.IsSequence()) {
    entries.emplace_back(key, fmt::format("{} entries", node.size()));
    for (size_t i = 0; i < node.size(); ++i) flatten(node[i], fmt::format("{}[{}]", key, i), entries);
  } else {
    entries.emplace_back(key, node.IsNull() ? "" : node.Scalar());
  }
}

Entries flatten(const std::string& recipe) {
  Entries entries;
  flatten(YAML::Load(recipe), "", entries);
  return entries;
}

const std::string* find(const Entries& entries, const std::string& key) {
  for (const auto& entry : entries)
    if (entry.first == key) return &entry.second;
  return nullptr;
}

bool begins_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool may_differ(const std::string& key, const std::string& before, const std::string& now) {
  if (begins_with(key, "evaluate.") || begins_with(key, "checkpoint.")) return true;
  if (key == "train.log_every" || key == "train.workers" || key == "train.device") return true;
  if (key == "train.steps" || key == "train.epochs") {
    try {
      return std::stoll(now) >= std::stoll(before);
    } catch (const std::exception&) {
      return false;
    }
  }
  return false;
}

}  // namespace

std::string first_conflict(const std::string& before, const std::string& now) {
  const Entries old_entries = flatten(before), new_entries = flatten(now);
  const auto shown = [](const std::string* value) { return value ? *value : std::string("(absent)"); };
  for (const auto& [key, value] : old_entries) {
    const std::string* other = find(new_entries, key);
    if (other && (*other == value || may_differ(key, value, *other))) continue;
    return fmt::format("{}: {} → {}", key, value, shown(other));
  }
  for (const auto& [key, value] : new_entries)
    if (!find(old_entries, key)) return fmt::format("{}: (absent) → {}", key, value);
  return "";
}

RunFolder::RunFolder(cluster::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (path_.empty()) throw UsageError("a run needs a folder", "--run", "name one");
}

bool RunFolder::holds_run() const {
  return files_.exists(recipe());
}

void RunFolder::begin(const Recipe& new_recipe) {
  if (holds_run())
    throw UsageError("the folder holds a run already", path_,
                     "add --resume to go on with it, or name another folder");
  files_.make_folders(checkpoints());
  files_.make_folders(logits());
  // What an attempt that ended before its recipe was written may have left.
  if (files_.exists(metrics())) files_.truncate(metrics(), 0);
  cluster::write_file_whole(files_, recipe(), resolved_recipe(new_recipe));
}

void RunFolder::reopen(const Recipe& new_recipe) {
  const std::string before = files_.read(recipe());
  const std::string now = resolved_recipe(new_recipe);
  std::string conflict;
  try {
    conflict = first_conflict(before, now);
  } catch (const YAML::Exception& error) {
    throw DataError(std::string("the run's recipe cannot be read: ") + error.what(), recipe(),
                    "restore it from the copy in the newest checkpoint");
  }
  if (!conflict.empty())
    throw UsageError("the recipe is not the one this run was started with, " + conflict, recipe(),
                     "resume with the run's own recipe, or start another run in another folder");
  files_.make_folders(checkpoints());
  files_.make_folders(logits());
  if (before != now) cluster::write_file_whole(files_, recipe(), now);
}

}  // namespace smoothlab::trainer
