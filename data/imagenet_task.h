#pragma once

#include <cstdint>
#include <vector>

#include "data/image_archive.h"
#include "data/jpeg_augmentation.h"
#include "data/task.h"

namespace smoothlab::data {

/// The task "imagenet": training images of an index that `smoothlab data prepare imagenet` made, of which
/// options.validation are held out; the test split is the set's official validation images. `train` or `test`
/// is null where the index lacks it. Throws DataError, UsageError.
Task open_imagenet(const TaskOptions& options, uint64_t seed, Opening opening);

/// Which of `images` are held out, in increasing order: `count` of them, each set of so many equally likely
/// (paper A.4 does not say which it took). A matter of the seed alone, and one count's are among a larger
/// one's.
std::vector<int64_t> held_out_images(int64_t images, int64_t count, uint64_t seed);

/// What a recipe's task.augment asks of JPEG images. Throws UsageError for a normalisation that they do not
/// have.
JpegAugmentOptions jpeg_augmentation_of(const AugmentOptions& augment);

}  // namespace smoothlab::data
