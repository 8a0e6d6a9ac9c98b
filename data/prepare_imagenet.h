#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "data/image_index.h"
#include "data/source_scan.h"

namespace smoothlab::data {

struct PrepareImagenetOptions {
  std::string out;                 ///< folder
  std::string train, validation;   ///< tar, folder or pattern of shards; one of them may be empty
  std::string validation_synsets;  ///< file: the synset of numbered image i in line i
  std::string classes;             ///< file; empty: the training images' own
  bool expect_complete = false;    ///< anything but the whole of ILSVRC 2012 is an error
  bool force = false;              ///< replace an index of other images; scan anew
};

struct PreparedImages {
  IndexFacts facts;
  std::vector<std::vector<int64_t>> class_counts;  ///< [splits][classes]
  std::vector<std::string> deviations;             ///< from the whole of ILSVRC 2012; see deviations()
  bool already_there = false;                      ///< the same index was there, and whole
  int64_t resumed_parts = 0;                       ///< scanned by a command that was stopped
};

/// Makes the index of ImageNet's images where they lie (see image_archive.h). Nothing is copied or unpacked,
/// and of tars only headers are read. The index appears in the folder in one moment; until then an older one
/// stays. A scan that is stopped leaves what it has found, and the same command goes on after it.
///
/// Throws UsageError (nothing named, numbered images without a list of synsets, an index of other images
/// there and no `force`, a file of others in its place), DataError (see find_images, scan_part, index_images,
/// read_image_classes, read_synset_list; files that change meanwhile; with expect_complete any deviation),
/// EnvironmentError (disk).
PreparedImages prepare_imagenet(cluster::FileSystem& files, const PrepareImagenetOptions& options,
                                const ScanCallback& progress = {});

}  // namespace smoothlab::data
