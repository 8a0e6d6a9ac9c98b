#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <vector>

#include "trainer/strict_yaml.h"

namespace smoothlab::launcher {

/// A map of a study that may have some keys and no others. Throws UsageError that names the nearest.
class StudyMap {
 public:
  /// path: "stages.teachers", as errors name it; file: the study's. `place` is where the map was begun.
  StudyMap(const YAML::Node& node, const std::string& file, const std::string& path,
           const trainer::Place& place, const std::vector<std::string>& allowed);

  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  /// Throws UsageError where it is missing.
  const YAML::Node& at(const std::string& name) const;
  trainer::Place place(const std::string& name) const;
  std::string text(const std::string& name) const;
  double number(const std::string& name) const;
  int64_t integer(const std::string& name) const;

 private:
  struct Entry {  // NOLINT(bugprone-exception-escape): a node may throw where it is assigned to
    YAML::Node node;
    trainer::Place place;
    int line = 0;
  };
  std::string path_;
  trainer::Place place_;
  std::map<std::string, Entry> entries_;
};

/// A value as YAML, or a formula, which YAML may want in quotes, without them.
std::string setting_text(const YAML::Node& node);

/// From 1; 0 for a node of no file.
int line_of(const YAML::Node& node);

/// Each key of a map once, in order, with its node. Throws UsageError where `node` is no map or a key is
/// given twice.
std::vector<std::pair<YAML::Node, YAML::Node>> entries_of(const YAML::Node& node, const std::string& file,
                                                          const std::string& path,
                                                          const trainer::Place& place);

}  // namespace smoothlab::launcher
