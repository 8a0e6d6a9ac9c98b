#include "data/corpus_request.h"

#include <string>
#include <utility>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/piece_library.h"
#include "data/utf8.h"

namespace smoothlab::data {

using Json = nlohmann::ordered_json;

void check_options(const PrepareTextOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& remedy) {
    throw UsageError(what, "data prepare text", remedy);
  };
  if (options.out.empty()) refuse("no folder to write to", "add --out DIR");
  if (options.train.empty())
    refuse("no text to train on", "add --source FILE --target FILE, or --pairs FILE");
  if (options.hold_out > 0 && !options.validation.empty())
    refuse("a validation split is both given and to be held out", "choose one of the two");
  if (options.hold_out_test > 0 && !options.test.empty())
    refuse("a test split is both given and to be held out", "choose one of the two");
  if (options.source_vocabulary.empty() != options.target_vocabulary.empty())
    refuse("a vocabulary for one side only", "name both or none");
  if (options.source_vocabulary.empty()) check_training(options.pieces);
  if (utf8_break(options.source_language + options.target_language) != std::string::npos)
    refuse("names of languages that are no UTF-8", "choose others");
}

Json request_of(const PrepareTextOptions& options) {
  Json json;
  json["longest"] = options.longest;
  json["ratio"] = options.ratio;
  json["hold_out"] = options.hold_out;
  json["hold_out_test"] = options.hold_out_test;
  json["seed"] = options.seed;
  json["languages"] = {options.source_language, options.target_language};
  if (options.source_vocabulary.empty())
    json["vocabulary"] = {{"separate", options.separate_vocabularies},
                          {"type", options.pieces.type},
                          {"size", options.pieces.size},
                          {"coverage", options.pieces.coverage},
                          {"most_sentences", options.pieces.most_sentences},
                          {"seed", options.pieces.seed},
                          {"sentencepiece", sentencepiece_version()}};
  else
    json["vocabulary"] = {{"source", file_digest(options.source_vocabulary, "sha256")},
                          {"target", file_digest(options.target_vocabulary, "sha256")}};
  const auto entry = [](const std::string& path) -> Json {
    return {{"file", path.substr(path.find_last_of('/') + 1)}, {"sha256", file_digest(path, "sha256")}};
  };
  for (const auto& [name, list] :
       {std::pair("train", &options.train), std::pair("validation", &options.validation),
        std::pair("test", &options.test)}) {
    json[name] = Json::array();
    for (const TextFiles& each : *list)
      if (each.pairs.empty())
        json[name].push_back({{"source", entry(each.source)}, {"target", entry(each.target)}});
      else
        json[name].push_back(
            {{"pairs", entry(each.pairs)}, {"columns", {each.source_column, each.target_column}}});
  }
  return json;
}

Json deciding(const Json& request) {
  if (!request.is_structured()) return request;
  Json kept = request.is_array() ? Json::array() : Json::object();
  for (const auto& [key, value] : request.items()) {
    if (request.is_array())
      kept.push_back(deciding(value));
    else if (key != "file")
      kept[key] = deciding(value);
  }
  return kept;
}

}  // namespace smoothlab::data
