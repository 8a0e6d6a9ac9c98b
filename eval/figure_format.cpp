#include "eval/figure_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/nearest_name.h"

namespace smoothlab::eval {
namespace {

constexpr std::array<FigureFormat, 3> all_formats = {FigureFormat::svg, FigureFormat::png, FigureFormat::pdf};

/// Of the terminal's points in a CSS pixel.
double text_scale(FigureFormat format) {
  switch (format) {
    case FigureFormat::svg:
      return 1;
    case FigureFormat::png:
      return 22.0 / 13;
    default:
      return 0.75;
  }
}

/// Behind the first chunk of a PNG, whose size is fixed: a chunk of text (PNG specification, 11.3.3.2 tEXt).
std::string marked_png(std::string picture) {
  constexpr size_t signature_and_header = 8 + 25;
  const std::string text = "tEXt" + output_marker(OutputKind::png);
  const auto big_endian = [](uint32_t value) {
    std::string bytes;
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFF);
    return bytes;
  };
  return picture.insert(signature_and_header, big_endian(static_cast<uint32_t>(text.size() - 4)) + text +
                                                  big_endian(cluster::checksum(text.data(), text.size())));
}

}  // namespace

std::string name_of(FigureFormat format) {
  switch (format) {
    case FigureFormat::svg:
      return "svg";
    case FigureFormat::png:
      return "png";
    default:
      return "pdf";
  }
}

OutputKind output_kind(FigureFormat format) {
  switch (format) {
    case FigureFormat::svg:
      return OutputKind::svg;
    case FigureFormat::png:
      return OutputKind::png;
    default:
      return OutputKind::pdf;
  }
}

std::vector<FigureFormat> figure_formats(const std::string& list, const std::string& option) {
  std::vector<std::string> names;
  for (const FigureFormat format : all_formats) names.push_back(name_of(format));
  std::vector<FigureFormat> formats;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end())
      throw UsageError("unknown format '" + name + "'", option, suggest_name(name, names));
    const FigureFormat format = all_formats[static_cast<size_t>(known - names.begin())];
    if (std::find(formats.begin(), formats.end(), format) != formats.end())
      throw UsageError("format '" + name + "' is given twice", option, "give each once");
    formats.push_back(format);
    begin = end + 1;
  }
  return formats;
}

int figure_text_size(FigureFormat format, double pixels) {
  return static_cast<int>(std::lround(pixels * text_scale(format)));
}

std::string figure_terminal(FigureFormat format, int width, int height) {
  const int text = figure_text_size(format, 13);
  switch (format) {
    case FigureFormat::svg:
      return fmt::format(
          "set terminal svg size {},{} dynamic background '#ffffff' font 'Helvetica,{}' linewidth 1\n", width,
          height, text);
    case FigureFormat::png:
      // Twice the size in pixels: sharp on paper and on dense screens.
      return fmt::format("set terminal pngcairo size {},{} background '#ffffff' font 'Sans,{}' linewidth 2\n",
                         2 * width, 2 * height, text);
    default:
      return fmt::format("set terminal pdfcairo size {:.3f},{:.3f} font 'Sans,{}' linewidth 1\n",
                         width / 96.0, height / 96.0, text);
  }
}

std::string marked_figure(std::string picture, FigureFormat format) {
  switch (format) {
    case FigureFormat::svg:
      return picture.insert(picture.find('\n') + 1, output_marker(OutputKind::svg) + "\n");
    case FigureFormat::png:
      return marked_png(std::move(picture));
    default:  // offsets within a PDF count from its start: a comment may only follow
      return picture + output_marker(OutputKind::pdf) + "\n";
  }
}

}  // namespace smoothlab::eval
