#include "data/picture_grid.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
// After what it does not include itself.
#include <jpeglib.h>

#include "cluster/error.h"
#include "data/jpeg_augmentation.h"

namespace smoothlab::data {
namespace {

constexpr int64_t gap = 4;  ///< pixels between two pictures
constexpr int quality = 95;
/// A remark in the file, by which it is known again (eval/output_file.h).
constexpr char maker[] = "generator: smoothlab";

/// Undoes v·scale + offset.
at::Tensor unscaled(const at::Tensor& inputs, const ChannelScaling& scaling) {
  const auto channels = [](const float* values) {
    return at::tensor({values[0], values[1], values[2]}).view({3, 1, 1});
  };
  return (inputs - channels(scaling.offset)) / channels(scaling.scale);
}

at::Tensor raw(const at::Tensor& inputs, const std::string& normalize) {
  if (normalize == "none") return inputs;
  if (normalize == "unit") return inputs * 255;
  if (normalize == "inception") return unscaled(inputs, ChannelScaling::inception());
  if (normalize == "imagenet") return unscaled(inputs, ChannelScaling::imagenet());
  const at::Tensor least = inputs.amin({1, 2, 3}, true), most = inputs.amax({1, 2, 3}, true);
  return (inputs - least) / (most - least).clamp_min(1e-6) * 255;
}

/// libjpeg's ends the process.
[[noreturn]] void fail(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  throw RunError(text, "JPEG encoding", "report it");
}

struct Compressor {
  jpeg_error_mgr errors{};
  jpeg_compress_struct info{};
  unsigned char* memory = nullptr;
  unsigned long size = 0;

  Compressor() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &memory, &size);
  }
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(memory);
  }
};

}  // namespace

at::Tensor pictures_of(const at::Tensor& inputs, const std::string& normalize) {
  return raw(inputs.to(at::kFloat), normalize)
      .round()
      .clamp(0, 255)
      .to(at::kByte)
      .expand({inputs.size(0), 3, inputs.size(2), inputs.size(3)})
      .permute({0, 2, 3, 1})
      .contiguous();
}

at::Tensor picture_grid(const at::Tensor& pictures, int64_t columns, int64_t times) {
  const at::Tensor large = pictures.repeat_interleave(times, 1).repeat_interleave(times, 2);
  const int64_t height = large.size(1), width = large.size(2), rows = (large.size(0) + columns - 1) / columns;
  at::Tensor grid = at::full({rows * (height + gap) - gap, columns * (width + gap) - gap, 3}, 255, at::kByte);
  for (int64_t i = 0; i < large.size(0); ++i)
    grid.narrow(0, i / columns * (height + gap), height)
        .narrow(1, i % columns * (width + gap), width)
        .copy_(large[i]);
  return grid;
}

std::vector<uint8_t> jpeg_of(const at::Tensor& picture) {
  const at::Tensor rows = picture.contiguous();
  if (rows.size(0) > JPEG_MAX_DIMENSION || rows.size(1) > JPEG_MAX_DIMENSION)
    throw UsageError(fmt::format("no JPEG has {} x {} pixels", rows.size(1), rows.size(0)), "picture",
                     "show fewer samples");
  Compressor jpeg;
  jpeg.info.image_height = static_cast<JDIMENSION>(rows.size(0));
  jpeg.info.image_width = static_cast<JDIMENSION>(rows.size(1));
  jpeg.info.input_components = 3;
  jpeg.info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg.info);
  jpeg_set_quality(&jpeg.info, quality, TRUE);
  jpeg.info.comp_info[0].h_samp_factor = jpeg.info.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&jpeg.info, TRUE);
  jpeg_write_marker(&jpeg.info, JPEG_COM, reinterpret_cast<const JOCTET*>(maker), sizeof maker - 1);
  while (jpeg.info.next_scanline < jpeg.info.image_height) {
    JSAMPROW row = rows.data_ptr<uint8_t>() + int64_t{jpeg.info.next_scanline} * rows.size(1) * 3;
    jpeg_write_scanlines(&jpeg.info, &row, 1);
  }
  jpeg_finish_compress(&jpeg.info);
  return {jpeg.memory, jpeg.memory + jpeg.size};
}

}  // namespace smoothlab::data
