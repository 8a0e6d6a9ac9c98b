#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/chosen_class.h"
#include "eval/logit_file.h"

namespace smoothlab::eval {

/// What a file of repeated draws holds of two classes: for each of N examples L rows, each of another
/// augmented view of it.
struct RepeatedDraws {
  std::array<ChosenClass, 2> chosen;
  std::array<int64_t, 2> examples_of{};  ///< how many examples each class has
  int64_t examples = 0, draws = 0;       ///< N, L
  std::vector<double> f;  ///< [N, L], logit of the first class less that of the second; by sample id
};

/// Reads the rows of two classes (two words of the command line, see choose_classes). Rows of one sample id,
/// and of one position where the file has positions, are draws of one example. Throws UsageError for the
/// classes; DataError where samples do not repeat, where one has more draws than another or is of both
/// classes, where a class has no row, and for what for_each_chunk finds.
RepeatedDraws read_draws(const LogitFile& file, const std::vector<std::string>& classes);

}  // namespace smoothlab::eval
