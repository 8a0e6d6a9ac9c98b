#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/recipe.h"

namespace smoothlab::trainer {

struct PictureWish {
  std::string split = "train";
  std::vector<int64_t> samples;  ///< of the split; empty: the first six
  int64_t epochs = 7;            ///< of training to show beside what evaluation sees
};

/// What a recipe's network sees of some samples, as a JPEG file: a row each, first as it is evaluated, then
/// as it is augmented in the first epochs. Small images are enlarged. Throws UsageError for text, a split
/// that is not there and a sample outside it; DataError.
std::vector<uint8_t> input_pictures(const Recipe& recipe, const PictureWish& wish);

}  // namespace smoothlab::trainer
