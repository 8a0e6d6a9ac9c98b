#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
// After what it does not include itself.
#include <jpeglib.h>

namespace smoothlab::data {

struct JpegMaking {
  int quality = 90;
  bool progressive = false;
  int channels = 3;                    ///< of the samples given: 1, 3, or 4 (CMYK, not yet inverted)
  int horizontal = 2, vertical = 2;    ///< how often luma is sampled for one of chroma
  J_COLOR_SPACE stored = JCS_UNKNOWN;  ///< UNKNOWN: libjpeg's choice
  std::vector<uint8_t> exif;           ///< put into an APP1 marker
};

/// samples: uint8 [height, width, channels]; with `same_row` one row that is used for all.
inline std::vector<uint8_t> make_jpeg(const std::vector<uint8_t>& samples, int height, int width,
                                      const JpegMaking& how = {}, bool same_row = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = height;
  info.image_width = width;
  info.input_components = how.channels;
  info.in_color_space = how.channels == 1 ? JCS_GRAYSCALE : how.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  if (how.stored != JCS_UNKNOWN) jpeg_set_colorspace(&info, how.stored);
  jpeg_set_quality(&info, how.quality, TRUE);
  if (how.channels == 3) {
    info.comp_info[0].h_samp_factor = how.horizontal;
    info.comp_info[0].v_samp_factor = how.vertical;
  }
  if (how.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (!how.exif.empty())
    jpeg_write_marker(&info, JPEG_APP0 + 1, how.exif.data(), static_cast<unsigned>(how.exif.size()));
  while (info.next_scanline < info.image_height) {
    const size_t row = same_row ? 0 : info.next_scanline;
    auto* line = const_cast<JSAMPROW>(samples.data() + row * width * how.channels);
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<uint8_t> bytes(memory, memory + size);
  std::free(memory);
  return bytes;
}

/// Smooth in space, different in each channel: what JPEG keeps well.
inline std::vector<uint8_t> smooth_picture(int height, int width, int channels) {
  std::vector<uint8_t> samples;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        samples.push_back(static_cast<uint8_t>(40 + (c == 1 ? 150 * y / height : 150 * x / width) + 15 * c));
  return samples;
}

/// Full of edges.
inline std::vector<uint8_t> busy_picture(int height, int width, int channels) {
  std::vector<uint8_t> samples(static_cast<size_t>(height) * width * channels);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(i * i * 7 + i * 37 + i / 251);
  return samples;
}

}  // namespace smoothlab::data
