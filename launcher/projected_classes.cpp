#include "launcher/projected_classes.h"

#include <algorithm>
#include <numeric>

#include "data/task.h"
#include "eval/chosen_class.h"
#include "eval/paper_results.h"

namespace smoothlab::launcher {
namespace {

/// Special tokens, "<s>", are no words.
bool is_special(const std::string& name) {
  return name.empty() || (name.size() > 1 && name.front() == '<' && name.back() == '>');
}

std::vector<std::string> most_frequent(const eval::LogitFile& file, const std::vector<std::string>& names) {
  std::vector<int64_t> labels(static_cast<size_t>(file.rows()));
  file.read_labels(0, file.rows(), labels.data());
  std::vector<int64_t> counts(names.size()), order(names.size());
  for (const int64_t label : labels)
    if (label >= 0 && label < file.classes()) ++counts[static_cast<size_t>(label)];
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return counts[static_cast<size_t>(a)] > counts[static_cast<size_t>(b)];
  });
  std::vector<std::string> chosen;
  for (const int64_t token : order)
    if (chosen.size() < 3 && !is_special(names[static_cast<size_t>(token)]))
      chosen.push_back(names[static_cast<size_t>(token)]);
  return chosen;
}

/// Why the file does not know one of these; nothing where it knows them all.
std::optional<UsageError> unknown_in(const eval::LogitFile& file, const std::vector<std::string>& names,
                                     const std::vector<std::string>& classes) {
  try {
    eval::choose_classes(classes, names, file.classes(), file.path());
    return std::nullopt;
  } catch (const UsageError& error) {
    return error;
  }
}

}  // namespace

std::vector<ProjectedTriple> ProjectedClasses::of(const eval::LogitFile& file, const std::string& task,
                                                  const std::string& model) {
  const std::vector<std::string> names = file.class_names();
  if (!wished_.empty()) {
    const auto unknown = unknown_in(file, names, wished_);
    known_ = known_ || !unknown;
    if (!unknown) return {ProjectedTriple{wished_}};
    unknown_ = unknown;
  }
  std::vector<ProjectedTriple> triples;
  if (const auto* published = eval::published_results(task, model))
    for (const auto& one : published->projected) {
      const std::vector<std::string> classes(one.classes.begin(), one.classes.end());
      if (!unknown_in(file, names, classes)) triples.push_back({classes, one.similar});
    }
  if (!triples.empty()) return triples;
  if (names.size() < 3) return {};
  ProjectedTriple own;
  own.classes = data::is_text(task) ? most_frequent(file, names)
                                    : std::vector<std::string>(names.begin(), names.begin() + 3);
  if (!unknown_in(file, names, own.classes)) triples.push_back(own);  // unless they are namesakes
  return triples;
}

void ProjectedClasses::check() const {
  if (unknown_ && !known_) throw UsageError(*unknown_);
}

}  // namespace smoothlab::launcher
