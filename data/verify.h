#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// How a file compares with what its authors published.
enum class Origin { official, differs, unknown };

struct VerifiedFile {
  std::string path;
  int64_t bytes = 0;
  Origin origin = Origin::unknown;
  std::string algorithm, digest;  ///< what it has
  std::string message;            ///< "official", "differs from the official file (md5 …, not …)", …
};

struct VerifiedSplit {
  std::string name;  ///< "train", "test"
  int64_t samples = 0;
  std::vector<int64_t> class_counts;  ///< [K]
};

struct VerifyReport {
  std::string name;
  std::string folder;  ///< empty: made by the program
  int64_t height = 0, width = 0, channels = 0;
  std::vector<std::string> class_names;
  std::vector<VerifiedSplit> splits;
  std::vector<VerifiedFile> files;
  /// Every file is as published. A set that differs may still be what its owner wants.
  bool official() const;
  /// How many files are not as published; those that nobody published do not count.
  int64_t differing() const;
};

/// Opens everything that training would read, counts samples, compares files with their published digests.
/// name: as task.data. Throws DataError where a file is missing or damaged, UsageError.
VerifyReport verify(const std::string& name, const std::string& path);

}  // namespace smoothlab::data
