#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/generated_text.h"
#include "launcher/text_verbs.h"
#include "trainer/recipe.h"

namespace smoothlab::launcher {
namespace {

nlohmann::ordered_json to_json(const std::string& split, const data::GeneratedText& text) {
  const data::TextLimits limits = text.limits();
  return {{"split", split},         {"pairs", text.size()},
          {"rows", limits.rows},    {"entropy", limits.entropy},
          {"best_nll", limits.nll}, {"best_accuracy", limits.accuracy}};
}

std::string to_text(const nlohmann::ordered_json& json) {
  return fmt::format(
      "{}: {} pairs, {} rows with end tokens; no predictor can do better than an NLL of {:.4f} (expected: "
      "{:.4f}) and an accuracy of {:.4f}\n",
      json["split"].get<std::string>(), json["pairs"].get<int64_t>(), json["rows"].get<int64_t>(),
      json["best_nll"].get<double>(), json["entropy"].get<double>(), json["best_accuracy"].get<double>());
}

/// What stands there already may be replaced by the same.
void write(const std::string& path, const std::string& lines) {
  if (path.empty()) return;
  const auto files = cluster::local_file_system();
  if (std::filesystem::exists(path)) {
    if (std::filesystem::is_regular_file(path) && files->read(path) == lines) return;
    throw UsageError("something else stands there", path, "take it away, or name another file");
  }
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) files->make_folders(folder.string());
  cluster::write_file_whole(*files, path, lines);
}

}  // namespace

int export_text(const ExportRequest& request) {
  const auto recipe = trainer::read_recipe(request.recipe, {});
  if (recipe.task.data != "generated_text")
    throw UsageError("only generated text is exported, and task.data is " + recipe.task.data, request.recipe,
                     "the text of a prepared corpus lies in its folder");
  const auto options = data::generated_text_options(recipe.task, request.split);
  if (options.pairs < 1)
    throw UsageError("there is no split '" + request.split + "'", request.recipe,
                     "hold pairs out with task.validation, or name another split");
  const data::GeneratedText text(options);
  write(request.source, text.source_text());
  write(request.target, text.target_text());
  const auto json = to_json(request.split, text);
  std::cout << (request.json ? json.dump(2) + "\n" : to_text(json));
  return 0;
}

int verify_generated_text(bool as_json) {
  data::TaskOptions task;
  const data::GeneratedText train(data::generated_text_options(task, "train")),
      test(data::generated_text_options(task, "test"));
  nlohmann::ordered_json json;
  json["name"] = "generated_text";
  json["source_words"] = train.source_vocabulary().size;
  json["target_words"] = train.target_vocabulary().size;
  json["splits"] = {to_json("train", train), to_json("test", test)};
  if (as_json) {
    std::cout << json.dump(2) << '\n';
    return 0;
  }
  std::cout << fmt::format("generated_text, made by the program: {} and {} words\n",
                           train.source_vocabulary().size, train.target_vocabulary().size);
  for (const auto& split : json["splits"]) std::cout << "  " << to_text(split);
  return 0;
}

}  // namespace smoothlab::launcher
