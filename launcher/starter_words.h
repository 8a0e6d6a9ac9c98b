#pragma once

#include <string>
#include <string_view>

namespace smoothlab::launcher {

/// What mpirun writes to stderr, taken apart into the ranks' words and MPI's own. Open MPI frames its
/// messages in two rules of dashes, or begins a line with the process in brackets, "[node:4711] ...". They
/// repeat at length what a rank told in its one error line; mpirun 4.1 can be told to keep quiet, 5 only in
/// part.
class StarterWords {
 public:
  /// Of the next piece that was written, what ranks wrote. A line that may yet turn out to be MPI's is held
  /// back until that is clear.
  std::string of_ranks(std::string_view piece);
  /// What of the ranks' is still held back, once all was written.
  std::string rest();

  /// Whether a rank wrote an error line.
  bool error_told() const { return error_told_; }
  /// MPI's own words as one line, for an end that no rank explains. Empty: it said nothing.
  std::string of_mpi() const;

 private:
  void keep(const std::string& line);

  std::string line_;  ///< the current line, as long as it may be anyone's
  bool passing_ = false, framed_ = false, error_told_ = false;
  int frame_lines_ = 0;
  std::string mpi_;
};

}  // namespace smoothlab::launcher
