#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/log.h"
#include "data/sentence_pairs.h"
#include "eval/translation.h"
#include "launcher/line_source.h"
#include "launcher/translated_lines.h"
#include "models/translation_network.h"

namespace smoothlab::launcher {

/// Text to the ids of a network's input, without the end token, and the ids of its output to text.
struct TextCoding {
  std::function<std::vector<int32_t>(const std::string&)> encode;
  std::function<std::string(const std::vector<int32_t>&)> decode;
};

struct LineTranslation {
  std::string path = "-";  ///< of the lines, see LineSource
  data::Vocabulary source, target;
  eval::TranslationOptions how;
  int64_t longest_source = 1024;  ///< tokens; a longer line is not translated
  LineFormat format;
  LineLimits window;  ///< a rank; how many are translated together
  /// Of the first window, a rank; each next may have twice as many: what comes first is soon seen, and later
  /// windows are large enough to be sorted well.
  size_t first_lines = 64;
};

/// Translates lines of text on all ranks, until there are no more. Rank 0 reads and prints: each window of
/// lines, in order, before it reads the next. What is printed does not depend on the ranks or on how the
/// lines come. A line without tokens gives an empty one; so does a line that is too long, and a warning that
/// names it. coding: used on rank 0 only. Collective.
///
/// print: takes whole lines. Throws what LineSource, eval::translate and `print` throw; what rank 0 reads and
/// encodes fails, the same, on every rank.
void translate_lines(models::TranslationNetwork& network, const LineTranslation& translation,
                     const TextCoding& coding, cluster::Communicator& communicator, cluster::Log& log,
                     const std::function<void(const std::string&)>& print);

}  // namespace smoothlab::launcher
