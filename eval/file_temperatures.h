#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "eval/calibration_pass.h"
#include "eval/temperature.h"

namespace smoothlab::eval {

/// Searches three temperatures of a file at once: of all rows, and of each half. A sample of the rows, held
/// in memory (at most 16 MiB of logits, or two rows), says where to look; a file no larger than that is its
/// own sample and needs no pass.
class FileTemperatures {
 public:
  FileTemperatures(const LogitFile& file, uint64_t seed);
  /// Where the next pass over the file should take its slopes; none when all is found.
  std::optional<SlopeNodes> wanted() const;
  void add(SlopeNodes nodes, const HalfSlopes& slopes);

  // Once nothing is wanted:
  const TemperatureFit& of_all() const { return searches_[2].fit(); }
  /// None where one of the halves has no row.
  std::optional<std::array<TemperatureFit, 2>> of_halves() const;

 private:
  bool whole_;                                 ///< the sample is the file
  std::array<TemperatureSearch, 3> searches_;  // half 0, half 1, both
  std::array<int64_t, 2> rows_{};
};

}  // namespace smoothlab::eval
