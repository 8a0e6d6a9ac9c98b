#include "data/index_facts.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace smoothlab::data {
namespace {

using Json = nlohmann::json;

Json to_json(const IndexedSplit& split) {
  Json skipped = Json::array();
  for (const SkippedMembers& each : split.skipped) skipped.push_back({each.reason, each.count, each.first});
  return {{"name", split.name},   {"source", split.source}, {"layout", split.layout},
          {"first", split.first}, {"count", split.count},   {"fingerprint", split.fingerprint},
          {"skipped", skipped}};
}

IndexedSplit split_of(const Json& json) {
  IndexedSplit split;
  json.at("name").get_to(split.name);
  json.at("source").get_to(split.source);
  json.at("layout").get_to(split.layout);
  json.at("first").get_to(split.first);
  json.at("count").get_to(split.count);
  json.at("fingerprint").get_to(split.fingerprint);
  for (const Json& each : json.at("skipped"))
    split.skipped.push_back({each.at(0).get<std::string>(), each.at(1).get<int64_t>(),
                             each.at(2).get<std::vector<std::string>>()});
  return split;
}

}  // namespace

std::string pack_facts(const IndexFacts& facts) {
  Json json = {{"synsets", facts.classes.synsets()},
               {"names", facts.classes.names()},
               {"request", facts.request},
               {"containers", Json::array()},
               {"splits", Json::array()}};
  for (const ImageContainer& each : facts.containers)
    json["containers"].push_back({each.path, each.folder, each.size, each.modified});
  for (const IndexedSplit& split : facts.splits) json["splits"].push_back(to_json(split));
  const std::vector<uint8_t> bytes = Json::to_cbor(json);
  return {bytes.begin(), bytes.end()};
}

bool unpack_facts(std::string_view bytes, IndexFacts& facts) {
  try {
    const Json json = Json::from_cbor(bytes);
    const auto synsets = json.at("synsets").get<std::vector<std::string>>();
    const auto names = json.at("names").get<std::vector<std::string>>();
    if (names.size() != synsets.size()) return false;
    facts.classes = ImageClasses(synsets, names);
    json.at("request").get_to(facts.request);
    for (const Json& each : json.at("containers"))
      facts.containers.push_back({each.at(0).get<std::string>(), each.at(1).get<bool>(),
                                  each.at(2).get<int64_t>(), each.at(3).get<int64_t>()});
    for (const Json& split : json.at("splits")) facts.splits.push_back(split_of(split));
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

}  // namespace smoothlab::data
