#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// ReaL labels of ImageNet's official validation images (Beyer et al. 2020, "Are we done with ImageNet?",
/// arXiv 2006.07159): of each image every class that people see in it. Item i of the published real.json is
/// image i + 1, ILSVRC2012_val_0000000i+1, which is sample i of the split `test`.
class RealLabels {
 public:
  /// Reads JSON: a list with a list of class numbers for each image, 0 … 999 in the order of the synsets.
  /// Throws DataError with file and item: no such JSON, a number that is no class, a class twice in a list.
  explicit RealLabels(const std::string& path);

  const std::string& path() const { return path_; }
  int64_t images() const { return static_cast<int64_t>(classes_.size()); }
  /// The classes of an image, 0 ≤ image < images(); empty where the image does not count.
  const std::vector<int>& of(int64_t image) const { return classes_[static_cast<size_t>(image)]; }
  bool holds(int64_t image, int64_t number) const;

 private:
  std::string path_;
  std::vector<std::vector<int>> classes_;
};

}  // namespace smoothlab::eval
