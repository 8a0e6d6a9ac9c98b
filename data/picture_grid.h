#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// What people can look at of inputs: float32 [N, C, H, W], C of 1 or 3, as `normalize` (AugmentOptions) left
/// them. Returns uint8 [N, H, W, 3]. "per_image" cannot be undone: each picture goes from black to white.
at::Tensor pictures_of(const at::Tensor& inputs, const std::string& normalize);

/// Pictures in rows of `columns`, each enlarged `times` by repeating pixels, a white line between any two:
/// uint8 [h, w, 3].
at::Tensor picture_grid(const at::Tensor& pictures, int64_t columns, int64_t times);

/// A picture, uint8 [h, w, 3], as a JPEG file of high quality. Throws UsageError for sides of more than
/// 65,500 pixels, which JPEG does not have.
std::vector<uint8_t> jpeg_of(const at::Tensor& picture);

}  // namespace smoothlab::data
