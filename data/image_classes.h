#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace smoothlab::data {

/// The classes of images: a class's number is its place among the sorted synsets.
class ImageClasses {
 public:
  ImageClasses() = default;
  /// Takes them in the order given. names: as many as synsets, or none: the synsets are the names.
  ImageClasses(std::vector<std::string> synsets, std::vector<std::string> names);
  int64_t size() const { return static_cast<int64_t>(synsets_.size()); }
  const std::vector<std::string>& synsets() const { return synsets_; }
  const std::vector<std::string>& names() const { return names_; }
  /// −1 for a synset that is none of these.
  int64_t find(const std::string& synset) const;

 private:
  std::vector<std::string> synsets_, names_;
  std::unordered_map<std::string, int64_t> numbers_;
};

/// Reads a list of classes: JSON {"0": ["n01440764", "tench"], …}, where each number has to be the synset's
/// place among the sorted ones, or lines "n01440764 tench, Tinca tinca" in any order. Throws DataError with
/// file and, where known, line: not one of these, a synset twice, numbers of another order.
ImageClasses read_image_classes(const std::string& path);

/// Line i is the synset of image i of the official validation tar, from 1 on; what follows the synset on its
/// line is left out. Throws DataError with file and line: a line without a synset, such as the devkit's
/// numbers.
std::vector<std::string> read_synset_list(const std::string& path);

}  // namespace smoothlab::data
