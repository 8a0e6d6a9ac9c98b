#pragma once

#include <string>
#include <vector>

#include "data/image_classes.h"
#include "data/image_index.h"
#include "data/image_source.h"
#include "data/source_scan.h"

namespace smoothlab::data {

/// A split's source and what was found there.
struct ScannedSplit {
  std::string name;
  ImageSource source;
  std::vector<ScannedPart> parts;
  std::vector<std::string> synsets;  ///< of numbered images; else empty
  std::string synset_file;           ///< where these are from, for errors
};

/// The classes of the first split's images where no list of them is given: the sorted synsets, or in shards
/// the numbers up to the largest. Throws UsageError where the splits name their classes in different ways.
ImageClasses classes_of(const std::vector<ScannedSplit>& splits);

/// The images of a split, labelled and sorted by name (which it takes out of `split`), the fingerprint in
/// `indexed`. Its containers are numbered from `first_container` on. origin: of the classes, for errors.
/// Throws DataError: a class that is none of `classes`, an image number that the list of synsets has not, an
/// image that is there twice, one of 4 GiB or more.
std::vector<IndexedImage> index_images(ScannedSplit& split, const ImageClasses& classes,
                                       const std::string& origin, size_t first_container,
                                       IndexedSplit& indexed);

}  // namespace smoothlab::data
