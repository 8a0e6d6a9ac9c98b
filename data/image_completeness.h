#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/image_index.h"

namespace smoothlab::data {

/// In what an index differs from the whole of ILSVRC 2012 (1,281,167 training images, 732 to 1300 of each of
/// 1000 classes; 50,000 of validation, 50 each), a line each: "train: 110 images, where ILSVRC 2012 has
/// 1281167". counts: of each split, by class. listed: lines of the validation's list of synsets, 0 where
/// there is none.
std::vector<std::string> deviations(const IndexFacts& facts, const std::vector<std::vector<int64_t>>& counts,
                                    int64_t listed);

}  // namespace smoothlab::data
