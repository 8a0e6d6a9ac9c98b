#include "data/imagenet_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "data/jpeg_dataset.h"

namespace smoothlab::data {
namespace {

bool has_split(const ImageIndex& index, const std::string& name) {
  const auto& splits = index.facts().splits;
  return std::any_of(splits.begin(), splits.end(), [&](const auto& split) { return split.name == name; });
}

ChannelScaling scaling_of(const std::string& normalize) {
  if (normalize == "inception") return ChannelScaling::inception();
  if (normalize == "imagenet") return ChannelScaling::imagenet();
  if (normalize == "none") return {};
  if (normalize != "unit")
    throw UsageError(fmt::format("JPEG images have no normalisation '{}'", normalize),
                     "task.augment.normalize",
                     suggest_name(normalize, {"unit", "inception", "imagenet", "none"}));
  ChannelScaling unit;
  for (float& scale : unit.scale) scale = 1.0f / 255;
  return unit;
}

std::vector<int64_t> all_of(int64_t images) {
  std::vector<int64_t> all(static_cast<size_t>(images));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

JpegAugmentOptions jpeg_augmentation_of(const AugmentOptions& augment) {
  JpegAugmentOptions options;
  options.height = options.width = augment.size;
  options.crop.least_area = augment.area_low;
  options.crop.most_area = augment.area_high;
  options.crop.least_aspect = augment.aspect_low;
  options.crop.most_aspect = augment.aspect_high;
  options.flip = augment.flip;
  options.jitter.brightness = options.jitter.contrast = options.jitter.saturation = augment.jitter;
  options.centre = augment.centre;
  options.centre_shape = augment.centre_shape == "square" ? CentreShape::square : CentreShape::as_image;
  options.filter = augment.filter == "bicubic" ? Filter::bicubic : Filter::bilinear;
  options.scaled_decoding = augment.scaled_decoding;
  options.scaling = scaling_of(augment.normalize);
  return options;
}

std::vector<int64_t> held_out_images(int64_t images, int64_t count, uint64_t seed) {
  std::vector<std::pair<uint64_t, int64_t>> lots;
  for (int64_t image = 0; image < images; ++image) {
    const auto words = AddressedRandom(seed, Purpose::split, 0, static_cast<uint64_t>(image)).block(0);
    lots.emplace_back(uint64_t{words[0]} << 32 | words[1], image);
  }
  std::nth_element(lots.begin(), lots.begin() + count, lots.end());
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(lots[static_cast<size_t>(i)].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Task open_imagenet(const TaskOptions& options, uint64_t seed, Opening opening) {
  if (options.path.empty())
    throw UsageError("data set 'imagenet' needs the folder of its index", "task.path",
                     "set task.path to what smoothlab data prepare imagenet made");
  const auto index = std::make_shared<const ImageIndex>(image_index_path(options.path));
  const auto split = [&](const std::shared_ptr<const ImageArchive>& archive, std::vector<int64_t> images) {
    JpegDatasetOptions how;
    how.images = std::move(images);
    how.augment = jpeg_augmentation_of(options.augment);
    how.seed = seed;
    how.data_seed = options.data_seed;
    how.damaged = options.damaged;
    how.channels_last = options.channels_last;
    return std::make_shared<const JpegDataset>(archive, std::move(how));
  };
  Task task;
  task.name = options.data;
  if (has_split(*index, "train")) {
    const auto archive = std::make_shared<const ImageArchive>(index, "train", opening);
    check_held_out(options, archive->size());
    const auto held_out = held_out_images(archive->size(), options.validation, options.data_seed);
    std::vector<int64_t> all = all_of(archive->size()), kept;
    std::set_difference(all.begin(), all.end(), held_out.begin(), held_out.end(), std::back_inserter(kept));
    task.train = split(archive, std::move(kept));
    if (options.validation > 0) task.validation = split(archive, held_out);
  }
  if (has_split(*index, "validation")) {
    const auto archive = std::make_shared<const ImageArchive>(index, "validation", opening);
    task.test = split(archive, all_of(archive->size()));
  }
  return task;
}

}  // namespace smoothlab::data
