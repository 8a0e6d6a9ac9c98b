#include "data/image_completeness.h"

#include <fmt/format.h>

#include <algorithm>

namespace smoothlab::data {
namespace {

struct PublishedSplit {
  int64_t images, least, most;  ///< of a class: from least to most
};
constexpr PublishedSplit published_train = {1281167, 732, 1300}, published_validation = {50000, 50, 50};
constexpr int64_t published_classes = 1000;
constexpr size_t most_named = 5;

std::string empty_classes(const IndexFacts& facts, const std::vector<int64_t>& counts) {
  const auto empty = static_cast<size_t>(std::count(counts.begin(), counts.end(), 0));
  std::string names;
  size_t named = 0;
  for (size_t i = 0; i < counts.size() && named < most_named; ++i) {
    if (counts[i] > 0) continue;
    names += (named++ ? ", " : "") + facts.classes.synsets()[i];
  }
  return fmt::format("{} classes without images ({}{})", empty, names, empty > named ? ", …" : "");
}

}  // namespace

std::vector<std::string> deviations(const IndexFacts& facts, const std::vector<std::vector<int64_t>>& counts,
                                    int64_t listed) {
  std::vector<std::string> all;
  constexpr const char* published_as = "where ILSVRC 2012 has";
  if (facts.classes.size() != published_classes)
    all.push_back(fmt::format("{} classes, {} {}", facts.classes.size(), published_as, published_classes));
  for (size_t i = 0; i < facts.splits.size(); ++i) {
    const IndexedSplit& split = facts.splits[i];
    const bool is_train = split.name == "train";
    const PublishedSplit published = is_train ? published_train : published_validation;
    const auto add = [&](const std::string& text) { all.push_back(split.name + ": " + text); };
    if (split.count != published.images)
      add(fmt::format("{} images, {} {}", split.count, published_as, published.images));
    if (!is_train && listed > 0 && listed != split.count)
      add(fmt::format("{} images, where the list of synsets has {} lines", split.count, listed));
    const auto [least, most] = std::minmax_element(counts[i].begin(), counts[i].end());
    if (*least == 0) add(empty_classes(facts, counts[i]));
    if (*least < published.least || *most > published.most)
      add(fmt::format("{} to {} images a class, {} {} to {}", *least, *most, published_as, published.least,
                      published.most));
  }
  return all;
}

}  // namespace smoothlab::data
