#include "eval/temperature_sweep.h"

#include <algorithm>
#include <tuple>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

using Json = nlohmann::ordered_json;

auto all_of(const SweepOrigin& origin) {
  return std::tie(origin.step, origin.weights, origin.split, origin.samples, origin.references,
                  origin.precision, origin.beam, origin.length_penalty, origin.decoding);
}

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> number_in(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

void take(std::optional<double>& into, const std::optional<double>& other) {
  if (other) into = other;
}

void take(SweepPoint& into, const SweepPoint& other) {
  take(into.nll, other.nll);
  take(into.ece, other.ece);
  take(into.bleu, other.bleu);
  take(into.bleu_lowercase, other.bleu_lowercase);
  take(into.length_ratio, other.length_ratio);
}

TemperatureSweep sweep_of(const Json& json) {
  TemperatureSweep sweep;
  SweepOrigin& origin = sweep.origin;
  json.at("step").get_to(origin.step);
  json.at("weights").get_to(origin.weights);
  json.at("split").get_to(origin.split);
  json.at("samples").get_to(origin.samples);
  json.at("references").get_to(origin.references);
  json.at("precision").get_to(origin.precision);
  json.at("beam").get_to(origin.beam);
  json.at("length_penalty").get_to(origin.length_penalty);
  origin.decoding = json.value("decoding", int64_t{0});
  json.at("tokens").get_to(sweep.tokens);
  json.at("sentences").get_to(sweep.sentences);
  json.at("signature").get_to(sweep.signature);
  json.at("lowercase_signature").get_to(sweep.lowercase_signature);
  for (const Json& one : json.at("points")) {
    SweepPoint& point = sweep.point(one.at("temperature").get<double>());
    point.nll = number_in(one, "nll");
    point.ece = number_in(one, "ece");
    point.bleu = number_in(one, "bleu");
    point.bleu_lowercase = number_in(one, "bleu_lowercase");
    point.length_ratio = number_in(one, "length_ratio");
  }
  return sweep;
}

}  // namespace

bool operator==(const SweepOrigin& a, const SweepOrigin& b) {
  return all_of(a) == all_of(b);
}

const SweepPoint* TemperatureSweep::at(double temperature) const {
  for (const SweepPoint& point : points)
    if (point.temperature == temperature) return &point;
  return nullptr;
}

SweepPoint& TemperatureSweep::point(double temperature) {
  auto place = points.begin();
  while (place != points.end() && place->temperature < temperature) ++place;
  if (place != points.end() && place->temperature == temperature) return *place;
  SweepPoint added;
  added.temperature = temperature;
  return *points.insert(place, added);
}

std::optional<double> bleu_of(const SweepPoint& point, bool lowercase) {
  return lowercase ? point.bleu_lowercase : point.bleu;
}

BestPoints best_points(const TemperatureSweep& sweep, bool lowercase) {
  BestPoints best;
  for (const SweepPoint& point : sweep.points) {
    const auto bleu = bleu_of(point, lowercase);
    if (bleu && (!best.bleu || *bleu > *bleu_of(*best.bleu, lowercase))) best.bleu = &point;
    if (point.ece && (!best.ece || *point.ece < *best.ece->ece)) best.ece = &point;
    if (point.nll && (!best.nll || *point.nll < *best.nll->nll)) best.nll = &point;
  }
  return best;
}

Json to_json(const TemperatureSweep& sweep) {
  const SweepOrigin& origin = sweep.origin;
  Json json;
  json["step"] = origin.step;
  json["weights"] = origin.weights;
  json["split"] = origin.split;
  json["samples"] = origin.samples;
  json["references"] = origin.references;
  json["precision"] = origin.precision;
  json["beam"] = origin.beam;
  json["length_penalty"] = origin.length_penalty;
  json["decoding"] = origin.decoding;
  json["tokens"] = sweep.tokens;
  json["sentences"] = sweep.sentences;
  json["signature"] = sweep.signature;
  json["lowercase_signature"] = sweep.lowercase_signature;
  json["points"] = Json::array();
  for (const SweepPoint& point : sweep.points)
    json["points"].push_back({{"temperature", point.temperature},
                              {"nll", number(point.nll)},
                              {"ece", number(point.ece)},
                              {"bleu", number(point.bleu)},
                              {"bleu_lowercase", number(point.bleu_lowercase)},
                              {"length_ratio", number(point.length_ratio)}});
  return json;
}

std::string sweeps_text(const std::vector<TemperatureSweep>& sweeps) {
  Json json;
  json["temperature_sweeps"] = Json::array();
  for (const TemperatureSweep& sweep : sweeps) json["temperature_sweeps"].push_back(to_json(sweep));
  return json.dump(2) + "\n";
}

std::vector<TemperatureSweep> parse_sweeps(const std::string& text, const std::string& path) {
  std::vector<TemperatureSweep> sweeps;
  try {
    const Json json = Json::parse(text);
    for (const Json& one : json.at("temperature_sweeps")) sweeps.push_back(sweep_of(one));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(std::string("no file of temperature sweeps: ") + error.what(), path,
                    "remove it, and the sweep is made again");
  }
  return sweeps;
}

void merge_sweep(std::vector<TemperatureSweep>& sweeps, const TemperatureSweep& sweep) {
  const auto same = std::find_if(sweeps.begin(), sweeps.end(),
                                 [&](const TemperatureSweep& other) { return other.origin == sweep.origin; });
  if (same == sweeps.end()) {
    sweeps.push_back(sweep);
    return;
  }
  same->tokens = sweep.tokens;
  same->sentences = sweep.sentences;
  if (!sweep.signature.empty()) same->signature = sweep.signature;
  if (!sweep.lowercase_signature.empty()) same->lowercase_signature = sweep.lowercase_signature;
  for (const SweepPoint& point : sweep.points) take(same->point(point.temperature), point);
}

}  // namespace smoothlab::eval
