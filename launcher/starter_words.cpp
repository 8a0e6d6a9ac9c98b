#include "launcher/starter_words.h"

#include <sstream>

namespace smoothlab::launcher {
namespace {

const std::string error_mark = "error: ";
constexpr size_t rule_width = 70;     // Open MPI's has 74 dashes
constexpr size_t most_kept = 16384;   // of MPI's words
constexpr size_t longest_told = 800;  // of them in an error line

bool only(const std::string& line, char c) {
  return line.find_first_not_of(c) == std::string::npos;
}

bool is_rule(const std::string& line) {
  return line.size() >= rule_width && only(line, '-');
}

bool tells_error(const std::string& line) {
  return line.compare(0, error_mark.size(), error_mark) == 0;
}

/// Whether a line that begins so may turn out to be MPI's, or an error.
bool is_undecided(const std::string& line) {
  return line[0] == '[' || only(line, '-') || error_mark.compare(0, line.size(), line) == 0;
}

}  // namespace

std::string StarterWords::of_ranks(std::string_view piece) {
  std::string out;
  for (const char c : piece) {
    if (c == '\0') continue;  // Open MPI 5 writes one after a frame
    if (passing_) {
      out += c;
      passing_ = c != '\n';
      continue;
    }
    if (c != '\n') {
      line_ += c;
      if (framed_ || is_undecided(line_)) continue;
      error_told_ |= tells_error(line_);
      out += line_;
      passing_ = true;
    } else if (is_rule(line_)) {
      framed_ = !framed_;
    } else if ((framed_ && !tells_error(line_)) || line_[0] == '[') {
      if (mpi_.size() < most_kept) mpi_ += line_ + '\n';
    } else {
      error_told_ |= tells_error(line_);
      out += line_ + '\n';
    }
    line_.clear();
  }
  return out;
}

std::string StarterWords::rest() {
  std::string line;
  line.swap(line_);
  if (is_rule(line)) return "";
  if (!framed_ && line[0] != '[') return line;
  mpi_ += line;
  return "";
}

std::string StarterWords::of_mpi() const {
  std::istringstream words(mpi_);
  std::string line;
  for (std::string word; words >> word && line.size() < longest_told;)
    line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace smoothlab::launcher
