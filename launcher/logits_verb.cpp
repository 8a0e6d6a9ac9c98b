#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/logit_file.h"
#include "eval/logit_publish.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

nlohmann::ordered_json describe(const std::string& path) {
  const eval::LogitFile file(path);
  nlohmann::ordered_json json;
  json["file"] = path;
  json["rows"] = file.rows();
  json["classes"] = file.classes();
  json["penultimate"] = file.penultimate();
  json["complete"] = file.complete();
  for (const char* name : {"schema", "task", "split", "model", "step", "alpha", "convention", "recipe_hash",
                           "code_version", "ranks"}) {
    const std::string value = file.attribute(name);
    if (!value.empty()) json[name] = value;
  }
  return json;
}

}  // namespace

int logits_verb(const std::vector<std::string>& arguments) {
  Options options("logits info FILE... | logits pack FROM TO",
                  "info: what logit files hold and where they come from.\n"
                  "pack: copies a published file and the shards it refers to into one plain file.");
  options.flag("json", "print JSON");
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto& words = options.words();
  if (words[0] == "pack") {
    if (words.size() != 3)
      throw UsageError("logits pack takes two files", "logits", "usage: smoothlab logits pack FROM TO");
    eval::pack_logit_file(words[1], words[2]);
    return 0;
  }
  if (words[0] != "info")
    throw UsageError("unknown action '" + words[0] + "'", "logits", suggest_name(words[0], {"info", "pack"}));
  if (words.size() < 2) throw UsageError("no file given", "logits", "usage: smoothlab logits info FILE...");
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (size_t i = 1; i < words.size(); ++i) all.push_back(describe(words[i]));
  if (options.has("json")) {
    std::cout << all.dump(2) << '\n';
    return 0;
  }
  for (const auto& one : all) {
    for (const auto& [key, value] : one.items())
      std::cout << key << std::string(14 - std::min<size_t>(13, key.size()), ' ')
                << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
    std::cout << '\n';
  }
  return 0;
}

}  // namespace smoothlab::launcher
