#include <nlohmann/json.hpp>

#include "eval/penultimate_projection.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;

json to_json(PlanePoint point) {
  return {point.x, point.y};
}

json to_json(const std::optional<double>& value) {
  return value ? json(*value) : json();
}

json to_json(const ProjectedClass& one) {
  return {{"class", one.chosen.number},
          {"name", one.chosen.name},
          {"rows", one.rows},
          {"mean", to_json(one.mean)},
          {"template", to_json(one.template_at)},
          {"deviation", one.deviation},
          {"deviation_full", one.deviation_full}};
}

}  // namespace

json to_json(const PenultimateProjection& projection) {
  json object{{"file", projection.file},
              {"rows", projection.rows},
              {"classes", projection.classes},
              {"penultimate", projection.penultimate},
              {"examples", projection.examples_wanted},
              {"accuracy", projection.accuracy},
              {"spread", to_json(projection.spread)},
              {"spread_full", to_json(projection.spread_full)},
              {"regularity", to_json(projection.means.regularity)},
              {"sides", projection.means.sides},
              {"sides_full", projection.sides_full},
              {"template_regularity", to_json(projection.templates.regularity)},
              {"template_sides", projection.templates.sides},
              {"chosen", json::array()},
              {"points", json::array()}};
  put_stated(projection.origin, object);
  for (const auto& one : projection.chosen) object["chosen"].push_back(to_json(one));
  for (const auto& example : projection.examples)
    object["points"].push_back(
        {{"class", projection.chosen[static_cast<size_t>(example.which)].chosen.number},
         {"sample_id", example.sample_id},
         {"row", example.row},
         {"x", example.at.x},
         {"y", example.at.y}});
  return object;
}

}  // namespace smoothlab::eval
