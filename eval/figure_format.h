#pragma once

#include <string>
#include <vector>

#include "eval/output_file.h"

namespace smoothlab::eval {

/// What pictures are written as: for pages, for screens, for papers.
enum class FigureFormat { svg, png, pdf };

/// "svg,png" → those two. Throws UsageError naming the option for an unknown or repeated one.
std::vector<FigureFormat> figure_formats(const std::string& list, const std::string& option);

/// "svg".
std::string name_of(FigureFormat format);
OutputKind output_kind(FigureFormat format);

/// The line by which gnuplot draws a picture of so many CSS pixels: PNG with twice as many of its own, PDF
/// with 96 an inch.
std::string figure_terminal(FigureFormat format, int width, int height);
/// A size of text in CSS pixels, as the terminal counts it.
int figure_text_size(FigureFormat format, double pixels);

/// A picture that tells who made it, see output_marker.
std::string marked_figure(std::string picture, FigureFormat format);

}  // namespace smoothlab::eval
