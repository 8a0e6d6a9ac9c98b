#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/error.h"
#include "cluster/log.h"
#include "cluster/nearest_name.h"
#include "data/fetch.h"
#include "data/verify.h"
#include "launcher/image_verbs.h"
#include "launcher/options.h"
#include "launcher/text_verbs.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

std::string data_folder(const Options& options, const std::string& option) {
  if (options.has(option)) return options.text(option);
  const char* folder = std::getenv("SMOOTHLAB_DATA");
  if (!folder || !*folder)
    throw UsageError("no folder given", "data", "add --" + option + " DIR, or set SMOOTHLAB_DATA");
  return folder;
}

int fetch_set(const std::string& name, const Options& options) {
  cluster::Log log(0);
  data::FetchOptions fetch;
  fetch.name = name;
  fetch.folder = data_folder(options, "to");
  fetch.base_url = options.text("mirror");
  fetch.keep_archive = options.has("keep-archive");
  const auto result = data::fetch(fetch, [&log](const data::FetchProgress& progress) {
    const double megabytes = static_cast<double>(progress.bytes) * 1e-6;
    if (progress.total > 0)
      log.progress(fmt::format("{}  {:.1f} of {:.1f} MB", progress.file, megabytes,
                               static_cast<double>(progress.total) * 1e-6));
    else
      log.progress(fmt::format("{}  {:.1f} MB", progress.file, megabytes));
  });
  log.progress_done();
  log.info("{}", result.already_there ? "everything was there already" : "fetched and checked");
  if (options.has("json")) {
    nlohmann::ordered_json json;
    json["name"] = name;
    json["folder"] = result.folder;
    json["files"] = result.files;
    json["received_bytes"] = result.received;
    std::cout << json.dump(2) << '\n';
  } else {
    std::cout << result.folder << '\n';
  }
  return 0;
}

const char* origin_name(data::Origin origin) {
  switch (origin) {
    case data::Origin::official:
      return "official";
    case data::Origin::differs:
      return "differs";
    default:
      return "unknown";
  }
}

nlohmann::ordered_json to_json(const data::VerifyReport& report) {
  nlohmann::ordered_json json;
  json["name"] = report.name;
  json["folder"] = nullptr;
  if (!report.folder.empty()) json["folder"] = report.folder;
  json["official"] = nullptr;  // where nothing was published to compare with
  if (report.official() || report.differing() > 0) json["official"] = report.official();
  json["height"] = report.height;
  json["width"] = report.width;
  json["channels"] = report.channels;
  json["classes"] = report.class_names;
  for (const auto& split : report.splits)
    json["splits"][split.name] = {{"samples", split.samples}, {"class_counts", split.class_counts}};
  json["files"] = nlohmann::ordered_json::array();
  for (const auto& file : report.files)
    json["files"].push_back({{"path", file.path},
                             {"bytes", file.bytes},
                             {"origin", origin_name(file.origin)},
                             {"algorithm", file.algorithm},
                             {"digest", file.digest},
                             {"message", file.message}});
  return json;
}

void print(const data::VerifyReport& report) {
  std::cout << report.name << (report.folder.empty() ? ", made by the program" : " in " + report.folder)
            << ": " << report.height << "x" << report.width << "x" << report.channels << ", "
            << report.class_names.size() << " classes\n";
  for (const auto& split : report.splits) {
    const auto [least, most] = std::minmax_element(split.class_counts.begin(), split.class_counts.end());
    std::cout << "  " << split.name << ": " << split.samples << " samples, " << *least << " to " << *most
              << " a class\n";
  }
  for (const auto& file : report.files) std::cout << "  " << file.path << ": " << file.message << '\n';
}

int verify_set(const std::string& name, const Options& options) {
  const auto report = data::verify(name, name == "generated" ? "" : data_folder(options, "path"));
  if (options.has("json"))
    std::cout << to_json(report).dump(2) << '\n';
  else
    print(report);
  if (report.differing() > 0)
    throw DataError(
        fmt::format("{} of {} files are not as published", report.differing(), report.files.size()),
        report.folder,
        fmt::format("fetch them anew with: smoothlab data fetch {} --to DIR; where they are meant to "
                    "differ, training takes them as they are",
                    name));
  return 0;
}

}  // namespace

int data_verb(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] == "prepare") {
    const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
    return !rest.empty() && rest[0] == "imagenet" ? prepare_imagenet_verb(rest) : prepare_text_verb(rest);
  }
  if (!arguments.empty() && arguments[0] == "show") return show_inputs_verb(arguments);
  Options options(
      "data fetch NAME [--to DIR] | data verify NAME [--path DIR] | data prepare text … |\n"
      "data prepare imagenet … | data export RECIPE [--split S] [--source FILE] [--target FILE] |\n"
      "data show RECIPE --out FILE.jpg …",
      "fetch: brings a public data set from its official address, resumes what was cut, checks\n"
      "it against the published digests and unpacks it.\n"
      "verify: opens everything that training would read, counts samples, checks digests; exit\n"
      "code 3 where files are damaged or not as published.\n"
      "prepare: makes a corpus of token ids from parallel text, or an index of ImageNet's images where they\n"
      "lie; see data prepare --help and data prepare imagenet --help.\n"
      "export: writes the sentences of a recipe's generated text, as references for bleu, and prints what\n"
      "the best possible predictor of them reaches. A run's recipe.yaml is a recipe.\n"
      "show: draws what a recipe's network sees of its images; see data show --help.\n"
      "NAME is mnist, cifar10 or cifar100; verify takes any name that task.data takes but imagenet, and text\n"
      "for a corpus that prepare made.");
  options.value("to", "DIR", "where the set's folder is made; $SMOOTHLAB_DATA without it")
      .value("path", "DIR", "the set's folder, or the one that holds it; $SMOOTHLAB_DATA without it")
      .value("mirror", "URL", "fetch the same files from another address")
      .value("split", "S", "export: train, validation or test", "test")
      .value("source", "FILE", "export: where the source sentences go, one a line")
      .value("target", "FILE", "export: where their translations go")
      .flag("keep-archive", "keep the archive once it is unpacked")
      .flag("json", "print one JSON object");
  if (!options.parse(arguments, 2, 2)) return 0;
  const std::string& action = options.words()[0];
  if (action == "fetch") return fetch_set(options.words()[1], options);
  if (action == "export")
    return export_text({options.words()[1], options.text("split"), options.text("source"),
                        options.text("target"), options.has("json")});
  if (action == "verify" && options.words()[1] == "generated_text")
    return verify_generated_text(options.has("json"));
  if (action == "verify" && options.words()[1] == "text")
    return verify_text(data_folder(options, "path"), options.has("json"));
  if (action == "verify" && options.words()[1] == "imagenet")
    throw UsageError(
        "images of an index are not verified one by one", "data verify",
        "the command that made it says whether its tars are as they were: smoothlab data prepare "
        "imagenet …");
  if (action == "verify") return verify_set(options.words()[1], options);
  throw UsageError("unknown action '" + action + "'", "data",
                   suggest_name(action, {"fetch", "verify", "prepare", "export", "show"}));
}

}  // namespace smoothlab::launcher
