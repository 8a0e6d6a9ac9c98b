#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/image_index.h"
#include "data/positioned_file.h"

namespace smoothlab::data {

/// When an archive's tars and folders are looked at, and opened.
enum class Opening {
  at_once,   ///< so that what is missing is known before any work
  when_read  ///< by the first read(): they need not be there where nothing is read
};

/// The images of one split where they lie, in tars or folders, as the bytes of their files. Thread-safe. The
/// order is that of the images' names, whatever holds them: sample i of the official tars is sample i of
/// class folders.
class ImageArchive {
 public:
  /// Opens what `smoothlab data prepare imagenet` made. split: "train" or "validation". Throws DataError: no
  /// index, one that is damaged or lacks the split, or the split's tars or folders are missing or have
  /// changed since (with Opening::when_read the first read() throws that). The other split's need not be
  /// there.
  ImageArchive(const std::string& folder, const std::string& split, Opening opening = Opening::at_once);
  /// The same for an index that is open, and may be shared.
  ImageArchive(std::shared_ptr<const ImageIndex> index, const std::string& split,
               Opening opening = Opening::at_once);

  /// Of the index.
  const std::string& path() const { return index_->path(); }
  int64_t size() const { return count_; }
  int64_t classes() const { return index_->facts().classes.size(); }
  int64_t label(int64_t sample) const { return index_->record(at(sample)).label; }  ///< 0 … classes()−1
  int64_t bytes(int64_t sample) const { return index_->record(at(sample)).size; }   ///< of the file, ≥ 1
  /// Of its file: "n01440764_10026.JPEG".
  std::string name(int64_t sample) const { return std::string(index_->name(at(sample))); }
  /// Where it lies, for errors: "train.tar, n01440764_10026.JPEG, offset 1536".
  std::string where(int64_t sample) const;
  const std::vector<std::string>& class_names() const { return index_->facts().classes.names(); }
  const std::vector<std::string>& synsets() const { return index_->facts().classes.synsets(); }
  std::vector<int64_t> class_counts() const;  ///< [classes()]
  /// Hex SHA-256 of synsets, names, sizes and labels, as the index has it: equal for the same files in any
  /// layout.
  const std::string& fingerprint() const { return fingerprint_; }
  /// The whole file of a sample. Throws DataError with file, offset and name where it cannot be read or has
  /// become shorter; a file in a folder also where its size has changed. All methods throw UsageError for a
  /// sample outside the split.
  void read(int64_t sample, std::vector<uint8_t>& bytes) const;

 private:
  int64_t at(int64_t sample) const;
  void open_containers() const;

  std::shared_ptr<const ImageIndex> index_;
  int64_t first_ = 0, count_ = 0;
  std::string fingerprint_;
  mutable std::once_flag opened_;
  /// By container; null where each read opens it.
  mutable std::vector<std::unique_ptr<const PositionedFile>> tars_;
};

}  // namespace smoothlab::data
