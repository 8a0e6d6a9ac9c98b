#include "data/jpeg_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <utility>
// After what it does not include itself.
#include <jpeglib.h>
// After jpeglib.h.
#include <jerror.h>

#include "cluster/error.h"

#ifndef LIBJPEG_TURBO_VERSION
#error "jpeglib.h is not libjpeg-turbo's, whose crops and skipped rows are needed"
#endif

namespace smoothlab::data {
namespace {

/// More scans than this say that somebody wants to keep us busy.
constexpr int most_scans = 1000;
/// Smooth chroma of a pixel comes from up to so many pixels to its left and right.
constexpr int64_t columns_around = 2;

/// Whether a warning means that pixels are missing or wrong. Others, such as of stray bytes between markers,
/// harm nothing, and files that everybody trains on have them.
bool means_damage(int code) {
  return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
         code == JWRN_MUST_RESYNC || code == JWRN_ARITH_BAD_CODE || code == JWRN_TOO_MUCH_DATA;
}

bool begins_with(const uint8_t* bytes, size_t size, const char* what, size_t at = 0) {
  const size_t length = std::strlen(what);
  return size >= at + length && std::memcmp(bytes + at, what, length) == 0;
}

/// What bytes are that are no JPEG.
std::string kind_of(const uint8_t* bytes, size_t size) {
  if (size == 0) return "an empty file";
  if (begins_with(bytes, size, "\x89PNG")) return "a PNG image";
  if (begins_with(bytes, size, "GIF8")) return "a GIF image";
  if (begins_with(bytes, size, "BM")) return "a BMP image";
  if (begins_with(bytes, size, "RIFF") && begins_with(bytes, size, "WEBP", 8)) return "a WebP image";
  if (begins_with(bytes, size, "II*") || begins_with(bytes, size, "MM")) return "a TIFF image";
  size_t first = begins_with(bytes, size, "\xEF\xBB\xBF") ? 3 : 0;
  while (first < size && std::strchr(" \t\r\n", bytes[first]) && bytes[first]) ++first;
  if (first < size && bytes[first] == '<') return "a page of HTML or XML";
  return fmt::format("a file that begins with 0x{:02x}",
                     fmt::join(bytes, bytes + std::min<size_t>(size, 4), " "));
}

/// CMYK as Adobe writes it, inverted, to RGB in place.
void multiply_out(uint8_t* row, int64_t width) {
  for (int64_t x = 0; x < width; ++x) {
    const uint8_t* from = row + 4 * x;
    const int black = from[3];
    const int colours[3] = {from[0], from[1], from[2]};
    for (int c = 0; c < 3; ++c) row[3 * x + c] = static_cast<uint8_t>((colours[c] * black + 127) / 255);
  }
}

}  // namespace

/// libjpeg's state, and where it jumps to when it gives up.
struct JpegImage::Decompressor {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf give_up{};
  char message[JMSG_LENGTH_MAX] = "";

  Decompressor() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) { of(common)->stop(); };
    errors.emit_message = [](j_common_ptr common, int level) {
      if (level < 0 && means_damage(common->err->msg_code)) of(common)->stop();
    };
    progress.progress_monitor = [](j_common_ptr common) {
      Decompressor* self = of(common);
      if (self->info.input_scan_number <= most_scans) return;
      std::snprintf(self->message, sizeof self->message, "more than %d scans", most_scans);
      std::longjmp(self->give_up, 1);
    };
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  static Decompressor* of(j_common_ptr common) { return static_cast<Decompressor*>(common->client_data); }

  [[noreturn]] void stop() {
    errors.format_message(reinterpret_cast<j_common_ptr>(&info), message);
    std::longjmp(give_up, 1);
  }

  /// Calls `work`, which calls libjpeg; false where that gave up and `message` says why. What `work` jumps
  /// out of must have no destructors.
  template <typename Work>
  bool guarded(const Work& work) {
    if (setjmp(give_up)) return false;
    work();
    return true;
  }
};

JpegImage::JpegImage(const uint8_t* bytes, size_t size, std::string where, const JpegLimits& limits)
    : bytes_(bytes), size_(size), where_(std::move(where)), decompressor_(std::make_unique<Decompressor>()) {
  if (!begins_with(bytes, size, "\xFF\xD8"))
    throw DataError("not a JPEG image but " + kind_of(bytes, size), where_,
                    "put a JPEG image there or leave the sample out");
  Decompressor& d = *decompressor_;
  const bool created = d.guarded([&] {
    jpeg_create_decompress(&d.info);
    d.info.mem->max_memory_to_use = static_cast<long>(limits.most_bytes);
  });
  if (!created) fail();
  read_header();
  if (height() * width() > limits.most_pixels)
    throw DataError(
        fmt::format("JPEG image of {} x {} pixels, more than {}", width(), height(), limits.most_pixels),
        where_, "make it smaller or leave the sample out");
  // Rows that are not asked for are never reached, so whether all are there is asked here.
  const uint8_t end[] = {0xFF, 0xD9};
  const uint8_t* scan = d.info.src->next_input_byte;
  if (std::find_end(scan, bytes + size, end, end + 2) == bytes + size)
    throw DataError("truncated JPEG image: no end marker", where_,
                    "fetch the file anew or leave the sample out");
}

JpegImage::~JpegImage() = default;

int64_t JpegImage::height() const {
  return decompressor_->info.image_height;
}
int64_t JpegImage::width() const {
  return decompressor_->info.image_width;
}
int JpegImage::channels() const {
  return decompressor_->info.num_components;
}
bool JpegImage::progressive() const {
  return decompressor_->info.progressive_mode;
}

void JpegImage::fail() const {
  throw DataError(fmt::format("damaged JPEG image: {}", decompressor_->message), where_,
                  "fetch the file anew or leave the sample out");
}

void JpegImage::read_header() {
  Decompressor& d = *decompressor_;
  const bool read = d.guarded([&] {
    jpeg_abort_decompress(&d.info);
    jpeg_mem_src(&d.info, bytes_, static_cast<unsigned long>(size_));
    jpeg_read_header(&d.info, TRUE);
  });
  if (!read) fail();
  at_header_ = true;
}

JpegImage::Region JpegImage::decode(const PixelBox& region, int denominator, std::vector<uint8_t>& memory) {
  const int64_t bottom = region.top + region.height, right = region.left + region.width;
  if (region.top < 0 || region.left < 0 || region.height < 1 || region.width < 1 || bottom > height() ||
      right > width())
    throw UsageError(fmt::format("no region of {} x {} pixels at ({}, {}) in an image of {} x {}",
                                 region.width, region.height, region.left, region.top, width(), height()),
                     where_, "choose one within the image");
  if (denominator != 1 && denominator != 2 && denominator != 4 && denominator != 8)
    throw UsageError(fmt::format("no JPEG scale of 1/{}", denominator), where_, "choose 1, 2, 4 or 8");
  if (!at_header_) read_header();
  at_header_ = false;

  Decompressor& d = *decompressor_;
  jpeg_decompress_struct& info = d.info;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(denominator);
  info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  // It would look into blocks around the region.
  info.do_block_smoothing = FALSE;
  info.progress = &d.progress;

  const int64_t first_row = region.top / denominator, first_column = region.left / denominator;
  const int64_t end_row = (bottom + denominator - 1) / denominator;
  const int64_t end_column = (right + denominator - 1) / denominator;
  JDIMENSION offset = 0;
  const bool started = d.guarded([&] {
    jpeg_start_decompress(&info);
    offset = static_cast<JDIMENSION>(std::max<int64_t>(0, first_column - columns_around));
    const auto end =
        static_cast<JDIMENSION>(std::min<int64_t>(info.output_width, end_column + columns_around));
    JDIMENSION columns = end - offset;
    if (columns < info.output_width) jpeg_crop_scanline(&info, &offset, &columns);
  });
  if (!started) fail();

  const int64_t rows = end_row - first_row;
  const int64_t stride = static_cast<int64_t>(info.output_width) * info.output_components;
  if (static_cast<int64_t>(memory.size()) < rows * stride) memory.resize(rows * stride);
  const bool decoded = d.guarded([&] {
    if (first_row > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(first_row));
    for (int64_t row = 0; row < rows;) {
      JSAMPROW targets[8];
      const auto wanted = static_cast<int>(std::min<int64_t>(8, rows - row));
      for (int i = 0; i < wanted; ++i) targets[i] = memory.data() + (row + i) * stride;
      row += jpeg_read_scanlines(&info, targets, static_cast<JDIMENSION>(wanted));
    }
  });
  if (!decoded) fail();
  if (info.output_components == 4)
    for (int64_t row = 0; row < rows; ++row) multiply_out(memory.data() + row * stride, info.output_width);

  Region result;
  result.image.pixels = memory.data() + (first_column - offset) * 3;
  result.image.height = rows;
  result.image.width = end_column - first_column;
  result.image.stride = stride;
  const double scale = 1.0 / denominator;
  result.box.top = static_cast<double>(region.top) * scale - static_cast<double>(first_row);
  result.box.left = static_cast<double>(region.left) * scale - static_cast<double>(first_column);
  result.box.height = static_cast<double>(region.height) * scale;
  result.box.width = static_cast<double>(region.width) * scale;
  return result;
}

int scaling_denominator(int64_t region_height, int64_t region_width, int64_t height, int64_t width) {
  for (const int denominator : {8, 4, 2})
    if (region_height >= denominator * height && region_width >= denominator * width) return denominator;
  return 1;
}

}  // namespace smoothlab::data
