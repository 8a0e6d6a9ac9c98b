#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/skipped_members.h"

namespace smoothlab::data {

/// How the images of a split lie on the disk.
enum class ImageLayout {
  class_tars,     ///< a tar a class, named by its synset: within one tar, or in a folder
  class_folders,  ///< a folder a class, named by its synset
  flat,           ///< in one tar or folder, numbered; their classes are in a list of synsets
  shards,         ///< tars of pairs x.jpg and x.cls, a class's number
};
/// "class tars", …
std::string layout_name(ImageLayout layout);

/// A file of many images, or a folder of files. What is known of it when it is indexed tells later whether it
/// is still the same.
struct ImageContainer {
  std::string path;  ///< absolute
  bool folder = false;
  int64_t size = 0;      ///< bytes; 0 of a folder
  int64_t modified = 0;  ///< nanoseconds since 1970
};

/// A part of a source that is scanned at a time: a tar, one within another, a folder.
struct ImagePart {
  size_t container = 0;
  int64_t begin = 0, end = 0;  ///< of the tar's bytes in its container
  std::string class_name;      ///< the class of all its images; empty: each has its own
  std::string name;            ///< within the container, for errors
};

/// Where a split's images are.
struct ImageSource {
  std::string given;  ///< as the user named it
  ImageLayout layout = ImageLayout::flat;
  std::vector<ImageContainer> containers;
  std::vector<ImagePart> parts;
  std::vector<SkippedMembers> skipped;
};

/// Without ".", ".." and a slash at the end, so that a source is known again.
std::string absolute_path(const std::string& path);

/// Finds out what a tar, a folder or a pattern of shards ("x-*.tar", "x-{000000..001281}.tar") holds. Reads
/// no more than the headers of the outermost tar. Throws DataError: nothing there, a shard missing, a tar
/// that is damaged, a folder or tar without images.
ImageSource find_images(const std::string& path);

}  // namespace smoothlab::data
