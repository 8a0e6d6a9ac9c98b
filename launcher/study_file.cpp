#include "launcher/study_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "launcher/study_map.h"
#include "launcher/study_values.h"
#include "trainer/known_keys.h"

namespace smoothlab::launcher {
namespace {

using trainer::Place;

class StudyParser {
 public:
  explicit StudyParser(std::string file) : file_(std::move(file)) {}

  StudyFile study(const std::string& text) {
    const YAML::Node root = trainer::load_yaml(text, file_);
    if (root.IsNull())
      throw UsageError("the study is empty", file_, "begin with 'stages:'; see docs/studies.md");
    const StudyMap map(root, file_, "", {file_, false}, {"name", "runs", "stages"});
    StudyFile study;
    study.path = file_;
    study.name = map.has("name") ? map.text("name") : std::filesystem::path(file_).stem().string();
    if (study.name.empty() || study.name.front() == '.' || study.name.find('/') != std::string::npos)
      throw UsageError(fmt::format("a study cannot be called '{}': its folder is", study.name),
                       map.place("name").at("name"), "use a name without '/' that does not begin with a dot");
    study.runs = map.has("runs") ? map.text("runs") : "runs/" + study.name;
    const Place place = map.place("stages");
    for (const auto& [key, node] : entries_of(map.at("stages"), file_, "stages", place))
      study.stages.push_back(stage(key, node));
    if (study.stages.empty())
      throw UsageError("a study without stages", place.at("stages"), "give it one: a recipe and a grid");
    for (const auto& one : study.stages) check_after(one, study.stages);
    return study;
  }

 private:
  StudyStage stage(const YAML::Node& key, const YAML::Node& node) {
    static const std::regex form("[A-Za-z][A-Za-z0-9_-]*");
    StudyStage stage;
    stage.name = trainer::key_text(key);
    stage.line = line_of(key);
    const Place place = trainer::place_of(key, file_);
    const std::string path = "stages." + stage.name;
    const auto blocks = trainer::names_in("");
    if (stage.name.size() > 64 || !std::regex_match(stage.name, form))
      throw UsageError(fmt::format("a stage cannot be called '{}'", stage.name), place.at("stages"),
                       "use letters, digits, - and _");
    if (std::find(blocks.begin(), blocks.end(), stage.name) != blocks.end())
      throw UsageError(fmt::format("a stage cannot be called '{}', as a block of recipes is", stage.name),
                       place.at("stages"), "name it by what it trains, such as teachers");
    const StudyMap map(node, file_, path, place, {"after", "recipe", "set", "grid", "zip"});
    stage.recipe = recipe_path(map.text("recipe"));
    if (map.has("set")) read_set(map.at("set"), map.place("set"), path + ".set", "", stage);
    if (map.has("grid")) read_grid(map.at("grid"), map.place("grid"), path + ".grid", stage);
    if (map.has("zip")) read_zips(map.at("zip"), map.place("zip"), path + ".zip", stage);
    if (map.has("after")) read_after(map.at("after"), map.place("after"), path + ".after", stage);
    return stage;
  }

  std::string recipe_path(const std::string& written) const {
    const std::filesystem::path path(written);
    if (path.is_absolute()) return written;
    return (std::filesystem::path(file_).parent_path() / path).lexically_normal().string();
  }

  /// A map of keys; those of a block may stand below its name.
  void read_set(const YAML::Node& node, const Place& place, const std::string& path, const std::string& block,
                StudyStage& stage) {
    for (const auto& [key, value] : entries_of(node, file_, path, place)) {
      const Place here = trainer::place_of(key, file_);
      const std::string name = (block.empty() ? "" : block + ".") + trainer::key_text(key);
      if (trainer::find_key(name) == nullptr && !trainer::names_in(name).empty()) {
        read_set(value, here, path + "." + trainer::key_text(key), name, stage);
        continue;
      }
      claim_key(name, here, line_of(key), stage);
      stage.set.push_back({name, setting_text(value), line_of(key)});
    }
  }

  void read_grid(const YAML::Node& node, const Place& place, const std::string& path, StudyStage& stage) {
    for (const auto& [key, value] : entries_of(node, file_, path, place)) {
      const std::string name = trainer::key_text(key);
      const Place here = trainer::place_of(key, file_);
      claim_key(name, here, line_of(key), stage);
      Axis axis{{name}, {}};
      for (auto& one : listed_values(value, name, file_, path + "." + name, here))
        axis.points.push_back({std::move(one)});
      refuse_twice(axis, here.at(path + "." + name));
      stage.axes.push_back(std::move(axis));
    }
  }

  void read_zips(const YAML::Node& node, const Place& place, const std::string& path, StudyStage& stage) {
    if (!node.IsSequence()) {
      read_zip(node, place, path, stage);
      return;
    }
    for (const auto& zip : node) read_zip(zip, trainer::place_of(zip, file_), path, stage);
  }

  void read_zip(const YAML::Node& node, const Place& place, const std::string& path, StudyStage& stage) {
    Axis axis;
    for (const auto& [key, value] : entries_of(node, file_, path, place)) {
      const std::string name = trainer::key_text(key);
      const Place here = trainer::place_of(key, file_);
      claim_key(name, here, line_of(key), stage);
      const auto values = listed_values(value, name, file_, path + "." + name, here);
      if (axis.keys.empty()) axis.points.resize(values.size());
      if (values.size() != axis.points.size())
        throw UsageError(fmt::format("a zip of {} values of {} and {} of {}", axis.points.size(),
                                     axis.keys.front(), values.size(), name),
                         here.at(path + "." + name), "give each key as many");
      axis.keys.push_back(name);
      for (size_t i = 0; i < values.size(); ++i) axis.points[i].push_back(values[i]);
    }
    if (axis.keys.empty())
      throw UsageError("a zip without keys", place.at(path), "give it two keys and their values");
    refuse_twice(axis, place.at(path));
    stage.axes.push_back(std::move(axis));
  }

  static void refuse_twice(const Axis& axis, const std::string& where) {
    std::set<std::vector<std::string>> seen;
    for (const auto& point : axis.points)
      if (!seen.insert(point).second)
        throw UsageError("the same twice: " + point.front(), where, "give each value once");
  }

  void read_after(const YAML::Node& node, const Place& place, const std::string& path, StudyStage& stage) {
    if (!node.IsSequence()) {
      stage.after.push_back(dependence(node, place, path));
      return;
    }
    for (const auto& one : node) stage.after.push_back(dependence(one, trainer::place_of(one, file_), path));
    if (stage.after.empty())
      throw UsageError("after nothing", place.at(path), "name a stage, or leave 'after' out");
  }

  StudyDependence dependence(const YAML::Node& node, const Place& place, const std::string& path) {
    StudyDependence result;
    result.line = std::max(1, line_of(node));
    if (node.IsScalar()) {
      trainer::read_value(node, place, path, result.stage);
      return result;
    }
    const StudyMap map(node, file_, path, place, {"stage", "where", "match"});
    result.stage = map.text("stage");
    if (map.has("where"))
      for (const auto& [key, value] : entries_of(map.at("where"), file_, path + ".where", map.place("where")))
        result.where.push_back(condition(key, value, path + ".where"));
    if (map.has("match")) {
      const YAML::Node& keys = map.at("match");
      if (!keys.IsSequence() || keys.size() == 0)
        throw UsageError("'match' must be a list of keys", map.place("match").at(path + ".match"),
                         "write it as [train.seed]");
      for (const auto& key : keys) {
        const std::string name = trainer::key_text(key);
        trainer::key_at(name, trainer::place_of(key, file_));
        result.match.push_back(name);
      }
    }
    return result;
  }

  StudyCondition condition(const YAML::Node& key, const YAML::Node& value, const std::string& path) {
    const Place here = trainer::place_of(key, file_);
    StudyCondition result{trainer::key_text(key), "=", {}, line_of(key)};
    const auto& known = trainer::key_at(result.key, here);
    const std::string where = path + "." + result.key;
    if (value.IsSequence() && known.type.rfind("list", 0) != 0) {
      result.values = listed_values(value, result.key, file_, where, here);
      return result;
    }
    std::string text = trainer::node_text(value);
    if (text.size() > 1 && text.front() == '"') text = value.Scalar();  // "> 0.5" has to be quoted
    std::smatch parts;
    static const std::regex comparison("\\s*(!=|<=|>=|<|>|==?)\\s*(.*\\S)\\s*");
    if (text.size() <= 200 && std::regex_match(text, parts, comparison)) {
      result.how = parts[1] == "==" ? "=" : parts[1].str();
      text = parts[2];
    } else {
      text = trainer::node_text(value);
    }
    result.values = {trainer::canonical_value(known, text, here)};
    if (result.how.find_first_of("<>") != std::string::npos &&
        (known.type.find("number") == std::string::npos || known.type.rfind("list", 0) == 0))
      throw UsageError(fmt::format("'{}' is no number, and has no order", result.key), here.at(where),
                       "list the values that are meant");
    return result;
  }

  /// A key of recipes that a stage varies or sets once.
  void claim_key(const std::string& name, const Place& place, int line, StudyStage& stage) const {
    trainer::key_at(name, place);
    const auto [earlier, fresh] = stage.key_lines.emplace(name, line);
    if (!fresh)
      throw UsageError(fmt::format("'{}' is given twice in a stage", name), place.at(name),
                       fmt::format("keep this or that of line {}", earlier->second));
  }

  void check_after(const StudyStage& stage, const std::vector<StudyStage>& all) const {
    std::vector<std::string> names;
    for (const auto& other : all) names.push_back(other.name);
    std::set<std::string> seen;
    for (const auto& one : stage.after) {
      const std::string where = fmt::format("{}:{}: stages.{}.after", file_, one.line, stage.name);
      if (std::find(names.begin(), names.end(), one.stage) == names.end())
        throw UsageError(fmt::format("no stage is called '{}'", one.stage), where,
                         suggest_name(one.stage, names));
      if (!seen.insert(one.stage).second)
        throw UsageError(fmt::format("'{}' is named twice", one.stage), where, "name each stage once");
    }
  }

  std::string file_;
};

}  // namespace

Place StudyFile::place(int line) const {
  return {fmt::format("{}:{}", path, line), false};
}

StudyFile parse_study(const std::string& text, const std::string& path) {
  return StudyParser(path).study(text);
}

StudyFile read_study(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw UsageError("no such study", path, "name a file, such as recipes/demo/study.yaml");
  std::ifstream file(path, std::ios::binary);
  if (std::filesystem::is_directory(path, none) || !file.is_open())
    throw UsageError("the study cannot be read", path, "name a .yaml file, and check its permissions");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_study(text, path);
}

}  // namespace smoothlab::launcher
