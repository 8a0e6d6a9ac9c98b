#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "data/jpeg_bytes.h"
#include "data/small_imagenet.h"

namespace smoothlab::test {

/// JPEGs of made-up classes in tars of the official layout. Of each class one colour prevails, so that there
/// is something to learn; sizes differ, and every seventh image is grey.
struct JpegImagenet {
  int classes = 3, images = 6;  ///< of each class, in training
  int validation = 7;           ///< images; the classes take turns
  /// What becomes of a file; image: number within its class, or of the validation images.
  std::function<std::string(std::string file, bool training, int label, int image)> damage;

  static std::string synset(int label) { return fmt::format("n{:08}", 1000 + label); }
  static std::string jpeg(int label, int image) {
    const int height = 40 + 7 * (image % 5), width = 48 + 5 * (image % 7);
    data::JpegMaking how;
    how.channels = image % 7 == 6 ? 1 : 3;
    std::vector<uint8_t> pixels = data::smooth_picture(height, width, how.channels);
    for (size_t i = 0; i < pixels.size(); ++i)
      if (static_cast<int>(i) % how.channels == label % how.channels)
        pixels[i] = static_cast<uint8_t>(std::min(255, pixels[i] + 40 + 10 * label));
    const auto bytes = data::make_jpeg(pixels, height, width, how);
    return {bytes.begin(), bytes.end()};
  }

  std::string file(bool training, int label, int image) const {
    const std::string whole = jpeg(label, training ? image : image + 1000);
    return damage ? damage(whole, training, label, image) : whole;
  }
  std::string training_tar() const {
    std::string tars;
    for (int label = 0; label < classes; ++label) {
      std::string members;
      for (int image = 0; image < images; ++image)
        members +=
            tar_member(fmt::format("{}_{}.JPEG", synset(label), 100 + image), file(true, label, image));
      tars += tar_member(synset(label) + ".tar", tar_archive(members));
    }
    return tar_archive(tars);
  }
  /// Writes the tars, and says how they are to be indexed.
  data::PrepareImagenetOptions write(const std::string& folder) const {
    std::string members, list;
    for (int image = 0; image < validation; ++image) {
      members += tar_member(fmt::format("ILSVRC2012_val_{:08}.JPEG", image + 1),
                            file(false, image % classes, image));
      list += synset(image % classes) + "\n";
    }
    write_bytes(folder + "/train.tar", training_tar());
    write_bytes(folder + "/val.tar", tar_archive(members));
    write_bytes(folder + "/synsets.txt", list);
    data::PrepareImagenetOptions options;
    options.train = folder + "/train.tar";
    options.validation = folder + "/val.tar";
    options.validation_synsets = folder + "/synsets.txt";
    options.out = folder + "/index";
    return options;
  }
  /// Writes the tars and indexes them; the folder of the index.
  std::string index(const std::string& folder) const {
    const auto options = write(folder);
    prepare(options);
    return options.out;
  }
};

}  // namespace smoothlab::test
