#pragma once

#include <map>
#include <string>

#include "cluster/error.h"

namespace smoothlab::trainer {

/// Where a value was given: "recipe.yaml:12" or "--set targets.alpha=2".
struct Place {
  std::string source;
  bool command_line = false;
  /// The place together with the dotted path of a key, as errors name it.
  std::string at(const std::string& key) const { return command_line ? source : source + ": " + key; }
};

/// Where the keys of a recipe were given. What opens data and builds networks knows keys, not files; this
/// puts file and line to its errors. Without a file, for a recipe that a program put together, keys stand
/// alone.
class RecipePlaces {
 public:
  RecipePlaces() = default;
  explicit RecipePlaces(std::string file) : file_(std::move(file)) {}

  void note(const std::string& key, const Place& place) { given_[key] = place; }

  /// "recipe.yaml:12: model.hidden", or "recipe.yaml: model.hidden" where the key was left out. A part of a
  /// key, "optimizer.groups[0].match", stands at the nearest that was noted.
  std::string at(const std::string& key) const;

  /// What `work` returns. A UsageError of it that stands at a key of the recipe is thrown on with its place.
  template <typename Work>
  auto locate(const Work& work) const {
    try {
      return work();
    } catch (const UsageError& error) {
      throw located(error);
    }
  }

 private:
  UsageError located(const UsageError& error) const;

  std::string file_;
  std::map<std::string, Place> given_;
};

}  // namespace smoothlab::trainer
