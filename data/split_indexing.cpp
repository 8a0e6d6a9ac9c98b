#include "data/split_indexing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/image_names.h"

namespace smoothlab::data {
namespace {

/// The digits that end a name's stem: 17 of ILSVRC2012_val_00000017.JPEG. 0 where there are none.
int64_t number_of(const std::string& name) {
  const std::string stem = image_stem(name);
  const size_t begin = stem.find_last_not_of("0123456789") + 1;
  int64_t number = 0;
  std::from_chars(stem.data() + begin, stem.data() + stem.size(), number);
  return number;
}

bool names_classes_by_number(const ScannedSplit& split) {
  return split.source.layout == ImageLayout::shards;
}

class Labels {
 public:
  Labels(const ScannedSplit& split, const ImageClasses& classes, const std::string& origin)
      : split_(split), classes_(classes), origin_(origin), seen_(split.synsets.size()) {}

  /// Of all images of a part that have one class.
  int64_t of_class(const std::string& class_name, const std::string& where) const {
    const int64_t label = classes_.find(class_name);
    if (label < 0)
      throw DataError(fmt::format("class {} is none of the {} of {}", class_name, classes_.size(), origin_),
                      where, "take it away, or name a list of classes that has it with --classes");
    return label;
  }

  int64_t of_image(const ScannedImage& image, const std::string& where) {
    if (names_classes_by_number(split_)) {
      if (image.label >= classes_.size())
        throw DataError(
            fmt::format("label {}, where {} has {} classes", image.label, origin_, classes_.size()), where,
            "labels count from 0 on; make the shards anew, or name their list of classes with --classes");
      return image.label;
    }
    const int64_t number = number_of(image.name);
    if (number < 1 || number > static_cast<int64_t>(split_.synsets.size()))
      throw DataError(
          number < 1 ? "an image without a number at the end of its name"
                     : fmt::format("image {}, where {} has {} lines", number, split_.synset_file,
                                   split_.synsets.size()),
          where, "numbered images are called such as ILSVRC2012_val_00000001.JPEG, and have a line each");
    const auto line = static_cast<size_t>(number - 1);
    if (seen_[line]) throw DataError(fmt::format("image {} is there twice", number), where, "take one away");
    seen_[line] = true;
    return of_class(split_.synsets[line], fmt::format("{}, line {}", split_.synset_file, number));
  }

 private:
  const ScannedSplit& split_;
  const ImageClasses& classes_;
  const std::string& origin_;
  std::vector<bool> seen_;
};

std::string fingerprint_of(const ImageClasses& classes, const std::vector<IndexedImage>& images) {
  Digest digest("sha256", "images");
  std::string text;
  for (const std::string& synset : classes.synsets()) text += synset + '\n';
  for (const IndexedImage& image : images) {
    text += fmt::format("{} {} {}\n", image_stem(image.name), image.size, image.label);
    if (text.size() < 1 << 20) continue;
    digest.add(text.data(), text.size());
    text.clear();
  }
  digest.add(text.data(), text.size());
  return digest.hexadecimal();
}

}  // namespace

ImageClasses classes_of(const std::vector<ScannedSplit>& splits) {
  for (const ScannedSplit& split : splits)
    if (names_classes_by_number(split) != names_classes_by_number(splits[0]))
      throw UsageError("one split names its classes by number and the other by synset",
                       "data prepare imagenet", "add --classes FILE, which says what number a synset has");
  std::set<std::string> synsets(splits[0].synsets.begin(), splits[0].synsets.end());
  for (const ImagePart& part : splits[0].source.parts)
    if (!part.class_name.empty()) synsets.insert(part.class_name);
  if (!names_classes_by_number(splits[0])) return {{synsets.begin(), synsets.end()}, {}};
  int64_t largest = 0;
  for (const ScannedPart& part : splits[0].parts)
    for (const ScannedImage& image : part.images) largest = std::max(largest, image.label);
  if (largest >= 1 << 24)
    throw DataError(fmt::format("a label of {}", largest), splits[0].source.given,
                    "labels count classes from 0 on; make the shards anew");
  std::vector<std::string> numbers;
  for (int64_t i = 0; i <= largest; ++i) numbers.push_back(std::to_string(i));
  return {numbers, {}};
}

std::vector<IndexedImage> index_images(ScannedSplit& split, const ImageClasses& classes,
                                       const std::string& origin, size_t first_container,
                                       IndexedSplit& indexed) {
  std::vector<IndexedImage> images;
  Labels labels(split, classes, origin);
  const ImageSource& source = split.source;
  const auto path_of = [&](const IndexedImage& image) {
    return source.containers[image.container - first_container].path + ", " + image.name;
  };
  for (size_t i = 0; i < source.parts.size(); ++i) {
    const ImagePart& part = source.parts[i];
    const std::string& path = source.containers[part.container].path;
    const bool has_class = !part.class_name.empty();
    const int64_t class_label = has_class ? labels.of_class(part.class_name, path) : -1;
    for (ScannedImage& found : split.parts[i].images) {
      const int64_t label = has_class ? class_label : labels.of_image(found, path + ", " + found.name);
      images.push_back({std::move(found.name), found.offset, found.size,
                        static_cast<uint32_t>(first_container + part.container),
                        static_cast<int32_t>(label)});
      if (found.size > std::numeric_limits<uint32_t>::max())
        throw DataError(fmt::format("an image of {} bytes", found.size), path_of(images.back()),
                        "take it away");
    }
  }
  std::sort(images.begin(), images.end(), [](const IndexedImage& a, const IndexedImage& b) {
    return std::tie(a.name, a.label, a.container, a.offset) <
           std::tie(b.name, b.label, b.container, b.offset);
  });
  // Keys of shards may be alike; within one shard its scan has looked.
  if (!names_classes_by_number(split)) {
    const auto twice = std::adjacent_find(images.begin(), images.end(), [](const auto& a, const auto& b) {
      return a.name == b.name && a.label == b.label;
    });
    if (twice != images.end())
      throw DataError("an image that is there twice", path_of(twice[1]), "take one away");
  }
  indexed.count = static_cast<int64_t>(images.size());
  indexed.fingerprint = fingerprint_of(classes, images);
  return images;
}

}  // namespace smoothlab::data
