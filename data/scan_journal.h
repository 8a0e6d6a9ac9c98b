#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cluster/file_system.h"
#include "data/part_scan.h"

namespace smoothlab::data {

/// Parts that were scanned, kept in a file as they are done: a scan that was stopped goes on after them. A
/// part counts only while its container has the size and time it had. Thread-safe.
class ScanJournal {
 public:
  /// Reads what the file has, where there is one; what follows the last whole record is cut off. `fresh`:
  /// begins anew. Throws EnvironmentError as FileSystem does.
  ScanJournal(cluster::FileSystem& files, const std::string& path, bool fresh);
  /// False where the part has yet to be scanned.
  bool find(const ImageSource& source, const ImagePart& part, ScannedPart& scanned) const;
  void add(const ImageSource& source, const ImagePart& part, const ScannedPart& scanned);

 private:
  size_t read(const std::string& bytes);
  void append(const std::string& payload);

  std::mutex mutex_;
  std::unique_ptr<cluster::WritableFile> file_;
  std::unordered_map<std::string, std::string> parts_;  ///< by what identifies them
};

}  // namespace smoothlab::data
