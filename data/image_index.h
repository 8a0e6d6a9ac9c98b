#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/file_system.h"
#include "data/image_classes.h"
#include "data/image_index_layout.h"
#include "data/image_source.h"
#include "data/mapped_file.h"

namespace smoothlab::data {

/// One split as the index's facts describe it.
struct IndexedSplit {
  std::string name;    ///< "train", "validation"
  std::string source;  ///< as the user named it
  std::string layout;  ///< layout_name
  int64_t first = 0, count = 0;
  std::string fingerprint;  ///< hex SHA-256 of the classes' synsets, and each image's name, size and label
  std::vector<SkippedMembers> skipped;
};

/// What an index says beside its images.
struct IndexFacts {
  ImageClasses classes;
  std::vector<ImageContainer> containers;
  std::vector<IndexedSplit> splits;
  std::string request;  ///< JSON: what was asked for, to tell whether it is there already
};

/// An image on its way into an index.
struct IndexedImage {
  std::string name;
  int64_t offset = 0, size = 0;  ///< size: 1 … 2³²−1 bytes
  uint32_t container = 0;
  int32_t label = 0;
};

/// The index's file in the folder that `smoothlab data prepare imagenet` made.
std::string image_index_path(const std::string& folder);

/// Writes an index whole (see cluster::write_file_whole). images: those of all splits, as `facts` counts
/// them.
void write_image_index(cluster::FileSystem& files, const std::string& path, const IndexFacts& facts,
                       const std::vector<IndexedImage>& images);

/// An index where it lies (mmap). Opening reads all of it once, about 50 bytes an image.
class ImageIndex {
 public:
  /// Throws DataError with path and offset: missing, cut or damaged, of another version or byte order. Does
  /// not look at the containers.
  explicit ImageIndex(const std::string& path);
  const std::string& path() const { return path_; }
  const IndexFacts& facts() const { return facts_; }
  int64_t images() const { return images_; }
  const IndexRecord& record(int64_t image) const { return records_[image]; }
  std::string_view name(int64_t image) const;
  /// Throws DataError where a container is missing, or has another size or time than when it was indexed.
  void check_container(size_t number) const;

 private:
  [[noreturn]] void fail(const std::string& what, int64_t offset) const;
  ImageIndexHeader read_header() const;
  void read_facts(std::string_view bytes);
  void check_records(int64_t name_bytes) const;

  std::string path_;
  MappedFile file_;
  IndexFacts facts_;
  int64_t images_ = 0;
  const IndexRecord* records_ = nullptr;
  const char* names_ = nullptr;
};

}  // namespace smoothlab::data
