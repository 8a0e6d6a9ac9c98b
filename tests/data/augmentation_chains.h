#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cluster/addressed_random.h"
#include "data/dataset.h"
#include "data/task.h"

namespace smoothlab::data {

/// Pixels of `count` images: noise, but for one that is black, one that is white and one that is grey.
inline std::vector<uint8_t> pictures(int64_t count, int64_t bytes) {
  std::vector<uint8_t> pixels(count * bytes);
  for (int64_t i = 0; i < count * bytes; ++i)
    pixels[i] = static_cast<uint8_t>(AddressedRandom(3, Purpose::generated_data, 0, i).bits(0));
  std::memset(pixels.data(), 0, bytes);
  std::memset(pixels.data() + bytes, 255, bytes);
  std::memset(pixels.data() + 2 * bytes, 77, bytes);
  return pixels;
}

/// Each image in four epochs.
inline std::vector<SampleAddress> some_samples(int64_t count) {
  std::vector<SampleAddress> samples;
  for (int64_t epoch = 0; epoch < 4; ++epoch)
    for (int64_t i = 0; i < count; ++i) samples.push_back({(i * 5 + epoch) % count, epoch});
  return samples;
}

/// Every option of an augmentation alone and all together, with every normalisation, by name; for images of
/// at least 6×6.
inline std::vector<std::pair<std::string, AugmentOptions>> chains() {
  std::vector<std::pair<std::string, AugmentOptions>> all;
  const auto add = [&](const std::string& name, auto change) {
    for (const char* normalize : {"unit", "per_image", "none"}) {
      AugmentOptions options;
      options.normalize = normalize;
      change(options);
      all.emplace_back(name + ", " + normalize, options);
    }
  };
  const auto pad = [](AugmentOptions& o) { o.pad = 3, o.crop = 8; };
  const auto flip = [](AugmentOptions& o) { o.flip = true; };
  const auto shift = [](AugmentOptions& o) { o.shift = 4; };
  const auto brightness = [](AugmentOptions& o) { o.brightness = 63; };
  const auto contrast = [](AugmentOptions& o) { o.contrast_low = 0.2, o.contrast_high = 1.8; };
  add("nothing", [](AugmentOptions&) {});
  add("crop", [](AugmentOptions& o) { o.crop = 5; });
  add("pad and crop", pad);
  add("crop of more than the image", [](AugmentOptions& o) { o.pad = 5, o.crop = 14; });
  add("flip", flip);
  add("shift", shift);
  add("brightness", brightness);
  add("contrast", contrast);
  add("fixed contrast", [](AugmentOptions& o) { o.contrast_low = o.contrast_high = 0.1; });
  add("no contrast left", [](AugmentOptions& o) { o.contrast_low = o.contrast_high = 0; });
  add("everything", [&](AugmentOptions& o) { pad(o), flip(o), shift(o), brightness(o), contrast(o); });
  return all;
}

/// That of TensorFlow's tutorial (A.1), for images of at least 24×24.
inline AugmentOptions tutorial_chain() {
  AugmentOptions options;
  options.crop = 24;
  options.flip = true;
  options.brightness = 63;
  options.contrast_low = 0.2;
  options.contrast_high = 1.8;
  options.normalize = "per_image";
  return options;
}

}  // namespace smoothlab::data
