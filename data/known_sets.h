#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// A file as its authors published it.
struct KnownFile {
  std::string name;
  int64_t bytes = 0;
  std::string algorithm;  ///< of the digest: "md5" or "sha256"
  std::string digest;     ///< hexadecimal
  /// Of a text file instead of bytes and digest: copies of it differ in line ends and final lines.
  int64_t lines = 0;
};

/// A public data set: where it can be had, and how to tell that one has it.
struct KnownSet {
  std::string name;                    ///< as in task.data
  std::string folder;                  ///< of its own, within the folder that sets are fetched to
  std::vector<std::string> addresses;  ///< each holds all the downloads; tried in turn
  std::vector<KnownFile> downloads;
  bool archive = false;             ///< downloads are archives that hold `folder`; else they are the files
  std::vector<KnownFile> contents;  ///< unpacked files; a download may stand in for one (name + ".gz")
};

/// All sets that can be fetched.
std::vector<KnownSet> known_sets();
/// One by name. Throws UsageError.
KnownSet known_set(const std::string& name);

}  // namespace smoothlab::data
