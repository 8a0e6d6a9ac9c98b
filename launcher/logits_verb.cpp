#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/compact_logits.h"
#include "eval/logit_file.h"
#include "eval/logit_publish.h"
#include "eval/printable.h"
#include "eval/text_table.h"
#include "launcher/each_file.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

using json = nlohmann::ordered_json;

json describe(const std::string& path) {
  const eval::LogitFile file(path, eval::Incomplete::refuse, eval::Compact::accept, eval::Summary::accept);
  const auto paths = file.paths();
  return {{"file", path},
          {"rows", file.rows()},
          {"classes", file.classes()},
          {"kept", file.kept()},
          {"penultimate", file.penultimate()},
          {"complete", file.complete()},
          {"shards", std::vector<std::string>(paths.begin() + 1, paths.end())},
          {"attributes", file.attributes()}};
}

std::string line(const std::string& key, const json& value) {
  const std::string text = value.is_string() ? value.get<std::string>()
                                             : value.dump(-1, ' ', false, json::error_handler_t::replace);
  const bool one_line = text.find('\n') == std::string::npos;
  return eval::printable(key) + std::string(14 - std::min<size_t>(13, key.size()), ' ') +
         (one_line ? eval::printable(text) : "(several lines, see --json)") + '\n';
}

/// One "key value" a line, attributes after what the file holds.
std::string to_text(const json& description) {
  std::string text;
  for (const auto& [key, value] : description.items()) {
    if (key == "shards") {
      for (const auto& shard : value) text += line("shard", shard);
    } else if (key != "attributes") {
      text += line(key, value);
    }
  }
  for (const auto& [key, value] : description["attributes"].items())
    if (!description.contains(key)) text += line(key, value);
  return text;
}

int print_info(const std::vector<std::string>& files, bool as_json) {
  json all = json::array();
  const int code = for_each_file(files, [&](const std::string& path) { all.push_back(describe(path)); });
  if (as_json && (files.size() > 1 || code == 0))
    std::cout << printed(files.size() == 1 ? all[0] : all) << '\n';
  for (size_t i = 0; i < all.size() && !as_json; ++i) std::cout << (i > 0 ? "\n" : "") << to_text(all[i]);
  std::cout << std::flush;
  return code;
}

int compact(const std::vector<std::string>& files, const Options& options) {
  if (files.size() != 2 || !options.has("top-k"))
    throw UsageError("logits compact takes two files and how many logits are kept", "logits",
                     "usage: smoothlab logits compact FROM TO --top-k K");
  const auto errors =
      eval::compact_logit_file(files[0], files[1], options.integer("top-k", 1, INT64_C(1) << 40),
                               options.numbers("temperatures", 1e-3, 1e3));
  json all = json::array();
  std::vector<eval::TableLine> rows = {{"temperature", "gamma", "gamma, compact", "total variation"}};
  for (const auto& error : errors) {
    all.push_back({{"temperature", error.temperature},
                   {"gamma", error.gamma},
                   {"gamma_compact", error.gamma_compact},
                   {"total_variation", error.total_variation}});
    rows.push_back({fmt::format("{:g}", error.temperature), fmt::format("{:.6f}", error.gamma),
                    fmt::format("{:.6f}", error.gamma_compact),
                    fmt::format("{:.2g}", error.total_variation)});
  }
  std::cout << (options.has("json") ? printed(all) + "\n" : eval::text_table(rows, {0})) << std::flush;
  return 0;
}

}  // namespace

int logits_verb(const std::vector<std::string>& arguments) {
  Options options(
      "logits info FILE... | logits pack FROM TO | logits compact FROM TO --top-k K",
      "info: what logit files hold and where they come from.\n"
      "pack: copies a published file and the shards it refers to into one plain file. Values are\n"
      "copied, not judged: that a label is none or a logit no number is found by calibrate.\n"
      "compact: keeps the greatest logits of each row and the mean of the others, for teacher.logits\n"
      "of a recipe, and tells what that does to the softmax.");
  options.value("top-k", "K", "compact: how many are kept")
      .value("temperatures", "T,...", "compact: at which the softmax is compared", "1,2,4,8")
      .flag("json", "info: print one JSON object, for several files a list of them; compact: one list")
      .epilogue(each_file_help());
  if (!options.parse(arguments, 1, -1)) return 0;
  const auto& words = options.words();
  if (words[0] == "pack") {
    if (words.size() != 3)
      throw UsageError("logits pack takes two files", "logits", "usage: smoothlab logits pack FROM TO");
    eval::pack_logit_file(words[1], words[2]);
    return 0;
  }
  if (words[0] == "compact") return compact({words.begin() + 1, words.end()}, options);
  if (words[0] != "info")
    throw UsageError("unknown action '" + words[0] + "'", "logits",
                     suggest_name(words[0], {"info", "pack", "compact"}));
  if (words.size() < 2) throw UsageError("no file given", "logits", "usage: smoothlab logits info FILE...");
  return print_info({words.begin() + 1, words.end()}, options.has("json"));
}

}  // namespace smoothlab::launcher
