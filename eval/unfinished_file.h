#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace smoothlab::eval {

/// A file that goes away with this object unless it was finished: what fails half-way leaves nothing behind.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(std::string path) : path_(std::move(path)) {}
  ~UnfinishedFile() {
    std::error_code code;  // the failure that leads here is what the user hears of
    if (!path_.empty()) std::filesystem::remove(path_, code);
  }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  const std::string& path() const { return path_; }
  void finished() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace smoothlab::eval
