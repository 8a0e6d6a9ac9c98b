#include "eval/recipe_text.h"

#include <set>
#include <sstream>
#include <utility>

namespace smoothlab::eval {
std::map<std::string, std::string> recipe_values(const std::string& text) {
  std::map<std::string, std::string> values;
  std::vector<std::pair<size_t, std::string>> sections;  // indentation, dotted name
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') continue;
    while (!sections.empty() && sections.back().first >= indent) sections.pop_back();
    const std::string above = sections.empty() ? "" : sections.back().second;
    const size_t colon = line.find(':', indent);
    if (line[indent] == '-' || colon == std::string::npos) {
      values[above] += line.substr(indent) + ";";
      continue;
    }
    const std::string name = (above.empty() ? "" : above + ".") + line.substr(indent, colon - indent);
    const size_t value = line.find_first_not_of(' ', colon + 1);
    if (value != std::string::npos) values[name] = line.substr(value);
    sections.emplace_back(indent, name);
  }
  return values;
}

bool shapes_training(const std::string& key) {
  if (key == "checkpoint.best") return true;
  static const std::set<std::string> others{
      "train.device",      "train.capture", "train.workers", "train.log_every", "train.bucket_bytes",
      "train.micro_batch", "task.path",     "task.damaged",  "teacher.run",     "teacher.logits"};
  static const std::set<std::string> blocks{"evaluate", "logits", "information", "checkpoint"};
  return others.count(key) == 0 && blocks.count(key.substr(0, key.find('.'))) == 0;
}

bool is_compared(const std::string& key) {
  static const std::set<std::string> compared{"train.seed", "task.augment.seed", "targets.alpha",
                                              "targets.convention"};
  return compared.count(key) > 0;
}

std::map<std::string, std::string> training_values(const std::string& text) {
  auto values = recipe_values(text);
  for (auto it = values.begin(); it != values.end();)
    it = is_compared(it->first) || !shapes_training(it->first) ? values.erase(it) : std::next(it);
  return values;
}

std::vector<std::string> differing_keys(const std::map<std::string, std::string>& a,
                                        const std::map<std::string, std::string>& b) {
  std::set<std::string> keys;
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)})
    for (const auto& [key, value] : *one) {
      const auto found = other->find(key);
      if (found == other->end() || found->second != value) keys.insert(key);
    }
  return {keys.begin(), keys.end()};
}

}  // namespace smoothlab::eval
