#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/chart.h"
#include "eval/mutual_information.h"
#include "eval/repeated_draws.h"
#include "eval/stated_origin.h"

namespace smoothlab::eval {

/// What a file of repeated draws tells about two classes.
struct InformationReport {
  std::string file;
  StatedOrigin origin;
  int64_t rows = 0, classes = 0;  ///< N and K of the file
  std::array<ChosenClass, 2> chosen;
  std::array<int64_t, 2> examples_of{};
  MutualInformation estimate;
};

/// See read_draws and mutual_information for what it throws. threads: 0: as many as the machine has.
InformationReport analyse_information(const LogitFile& file, const std::vector<std::string>& classes,
                                      int threads = 0);

/// One flat object: file, rows, classes, what the file states, chosen (a list of {class, name, examples}),
/// examples, draws, information, bound, floor, variance.
nlohmann::json to_json(const InformationReport& report);

/// Text for a terminal, a line a file. Ends with a newline.
std::string to_table(const std::vector<InformationReport>& reports);

/// The paper's fig. 6: information against steps, a line for each run; log 2 and, where it is in sight, log N
/// are drawn across.
Chart information_chart(const std::vector<InformationReport>& reports);

}  // namespace smoothlab::eval
