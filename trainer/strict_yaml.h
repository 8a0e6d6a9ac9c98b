#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/recipe_places.h"

namespace smoothlab::trainer {

/// One YAML document. ${VARIABLES} are allowed anywhere in plain scalars, in flow maps too, where YAML has
/// no room for braces. Throws UsageError with name and line for what is not YAML.
YAML::Node load_yaml(const std::string& text, const std::string& name);

/// The place of a node of a document that was loaded under this name.
Place place_of(const YAML::Node& node, const std::string& name);

/// The text of a key of a map, ${…} as it was written.
std::string key_text(const YAML::Node& key);

/// A node as YAML on one line that load_yaml gives back, ${…} as it was written.
std::string node_text(const YAML::Node& node);

/// Typed values, by YAML's core schema and no more: `yes` is no truth value, `1.5` and `1e5` are no whole
/// numbers, `5` is no text unless quoted. ${NAME} is replaced by the environment's value, $${NAME} stands for
/// the characters ${NAME}. `key` is the dotted path. Throw UsageError.
void read_value(const YAML::Node& node, const Place& place, const std::string& key, bool& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key, int& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key, int64_t& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key, uint64_t& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key, double& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key, std::string& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key,
                std::vector<int64_t>& value);
void read_value(const YAML::Node& node, const Place& place, const std::string& key,
                std::vector<std::string>& value);

/// YAML that read_value gives back unchanged.
std::string write_value(bool value);
std::string write_value(int value);
std::string write_value(int64_t value);
std::string write_value(uint64_t value);
std::string write_value(double value);
std::string write_value(const std::string& value);
std::string write_value(const std::vector<int64_t>& value);
std::string write_value(const std::vector<std::string>& value);

/// What people call a type.
inline const char* type_name(const bool&) {
  return "true or false";
}
inline const char* type_name(const int&) {
  return "whole number";
}
inline const char* type_name(const int64_t&) {
  return "whole number";
}
inline const char* type_name(const uint64_t&) {
  return "whole number";
}
inline const char* type_name(const double&) {
  return "number";
}
inline const char* type_name(const std::string&) {
  return "text";
}
inline const char* type_name(const std::vector<int64_t>&) {
  return "list of whole numbers";
}
inline const char* type_name(const std::vector<std::string>&) {
  return "list of texts";
}

}  // namespace smoothlab::trainer
