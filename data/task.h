#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"

namespace smoothlab::data {

/// How training images are varied, in this order; each off by default (paper A.1, A.2, A.5). Of photographs,
/// which differ in size, a random crop is scaled to one size instead: see jpeg_augmentation.h.
struct AugmentOptions {
  int pad = 0;        ///< zero pixels added on each side before the crop
  int crop = 0;       ///< side of the crop, random in training, central otherwise; 0: none
  bool flip = false;  ///< left-right with probability one half
  int shift = 0;      ///< shift by up to so many pixels in each direction, zeros come in; all equiprobable
  double brightness = 0;                       ///< adds uniform(−b, b), on the 0…255 scale
  double contrast_low = 1, contrast_high = 1;  ///< scales around the channel mean by uniform(low, high)
  int64_t draws = 0;  ///< epoch e is augmented as epoch e mod draws was; 0: each anew
  uint64_t seed = 0;  ///< of the draws; 0: the run's
  /// "unit": /255; "per_image": (x−mean)/max(std, 1/√n); "none": 0…255; of photographs also "inception":
  /// −1…1, and "imagenet": by the set's mean and deviation.
  std::string normalize = "unit";
  // Of photographs alone.
  int64_t size = 299;                                  ///< side of the input
  double area_low = 0.05, area_high = 1;               ///< of the random crop, as a share of the image's
  double aspect_low = 3.0 / 4, aspect_high = 4.0 / 3;  ///< width / height of it
  double jitter = 0;                      ///< of brightness, contrast and saturation, see colour_jitter.h
  double centre = 0.875;                  ///< share of either side that evaluation looks at
  std::string centre_shape = "as_image";  ///< "as_image", "square"
  std::string filter = "bilinear";        ///< "bilinear", "bicubic"
  bool scaled_decoding = true;            ///< made smaller while decoded where it is much larger
};

/// The `task:` block of a recipe.
struct TaskOptions {
  std::string
      data;  ///< "mnist", "idx", "cifar10", "cifar100", "imagenet", "generated", "generated_text", "text"
  std::string path;  ///< folder of the files; not used by generated ones
  /// Training samples held out: the last ones, as the paper's 40k/10k; of imagenet chosen by data_seed.
  int64_t validation = 0;
  double damaged = 0.001;  ///< imagenet: share of a split's images that may be damaged
  int64_t classes = 10;    ///< generated: number of classes, ≥ 4
  int64_t train_samples = 2500, test_samples = 2000;  ///< generated, generated_text
  double noise = 0.0;                                 ///< generated: see generated_images.h; 0: its default
  uint64_t data_seed = 1;  ///< generated, generated_text; imagenet: of what is held out or stands in
  AugmentOptions augment;
  bool channels_last = false;  ///< inputs get the strides of MemoryFormat::ChannelsLast; values are the same

  /// Whether a sample may look otherwise in another epoch.
  bool varies() const;
};

/// Whether such a task is one of sentence pairs; others are of images.
bool is_text(const std::string& data);

/// The splits of a task. `validation` is null where nothing is held out.
struct Task {
  std::shared_ptr<const Dataset> train, validation, test;
  std::string name;
};

/// `train` is there. Throws DataError, UsageError.
Task open_task(const TaskOptions& options, uint64_t seed);
/// The same for whoever does not train: of ImageNet `train` may be null, where validation images alone were
/// indexed, and what holds the images is looked at when the first of a split is read.
Task open_task_to_evaluate(const TaskOptions& options, uint64_t seed);

/// A split that there is, for whoever asks about classes and shapes, which are those of all of them.
const Dataset& described_by(const Task& task);

/// Throws UsageError where task.validation is not less than the training samples.
void check_held_out(const TaskOptions& options, int64_t samples);

/// The task with those splits kept on `device` that can be and that fit, train before validation before test,
/// into `most_bytes` together. most_bytes: the caller's to choose, before a network takes its share; a
/// quarter of the device's free memory leaves room for one. On the CPU, the task itself. Throws
/// EnvironmentError.
Task keep_on_device(Task task, c10::Device device, int64_t most_bytes);

}  // namespace smoothlab::data
