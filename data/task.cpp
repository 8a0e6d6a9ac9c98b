#include "data/task.h"

#include <fmt/format.h>

#include <utility>

#include "cluster/error.h"
#include "data/generated_images.h"
#include "data/image_dataset.h"

namespace smoothlab::data {
namespace {

ImageSplits generated(const TaskOptions& options) {
  GeneratedOptions part;
  part.classes = options.classes;
  part.noise = options.noise;
  part.seed = options.data_seed;
  ImageSplits splits;
  part.samples = options.train_samples;
  splits.train = std::make_shared<const LabelledImages>(generate_images(part));
  part.samples = options.test_samples;
  part.split = 1;
  splits.test = std::make_shared<const LabelledImages>(generate_images(part));
  return splits;
}

ImageSplits open_images(const TaskOptions& options) {
  if (options.data == "generated") return generated(options);
  throw UsageError(fmt::format("unknown data set '{}'", options.data), "task.data",
                   "choose mnist, idx, cifar10, cifar100 or generated");
}

}  // namespace

Task open_task(const TaskOptions& options, uint64_t seed) {
  const ImageSplits splits = open_images(options);
  const int64_t samples = splits.train->size();
  if (options.validation < 0 || options.validation >= samples)
    throw UsageError(fmt::format("cannot hold out {} of {} training samples", options.validation, samples),
                     "task.validation", fmt::format("choose 0 to {}", samples - 1));
  const auto part = [&](const std::shared_ptr<const LabelledImages>& images, int64_t first, int64_t count) {
    return std::make_shared<const ImageDataset>(images, first, count, options.augment, seed,
                                                options.channels_last);
  };
  Task task;
  task.name = options.data;
  const int64_t kept = samples - options.validation;
  task.train = part(splits.train, 0, kept);
  if (options.validation) task.validation = part(splits.train, kept, options.validation);
  task.test = part(splits.test, 0, splits.test->size());
  return task;
}

}  // namespace smoothlab::data
