#include "launcher/starter_words.h"

#include <sstream>

namespace smoothlab::launcher {
namespace {

const std::string error_mark = "error: ";
constexpr size_t rule_width = 70;     // Open MPI's has 74 dashes
constexpr size_t longest_told = 800;  // of MPI's words in an error line: the last, which say how it ended
constexpr size_t most_kept = 16384;   // of them, with what will be folded
constexpr int longest_frame = 60;     // lines; where a rule was lost, ranks are heard again after them

bool only(const std::string& line, char c) {
  return line.find_first_not_of(c) == std::string::npos;
}

bool is_rule(const std::string& line) {
  return line.size() >= rule_width && only(line, '-');
}

bool tells_error(const std::string& line) {
  return line.compare(0, error_mark.size(), error_mark) == 0;
}

enum class Speaker { mpi, rank, open };

/// Who begins a line with the process in brackets, "[node:4711] ...": MPI does, while libraries of the ranks
/// begin with "[W file.cpp:12]" or "[rank0]:".
Speaker speaker_in_brackets(const std::string& line) {
  size_t at = line.find_first_of(":] ", 1);
  if (at == std::string::npos) return Speaker::open;
  if (line[at] != ':' || at == 1) return Speaker::rank;
  const size_t digits = at + 1;
  at = line.find_first_not_of("0123456789", digits);
  if (at == std::string::npos) return Speaker::open;
  return line[at] == ']' && at > digits ? Speaker::mpi : Speaker::rank;
}

bool is_of_mpi(const std::string& line) {
  return line[0] == '[' && speaker_in_brackets(line) == Speaker::mpi;
}

/// Whether a line that begins so may turn out to be MPI's, or an error.
bool is_undecided(const std::string& line) {
  if (line[0] == '[') return speaker_in_brackets(line) != Speaker::rank;
  return only(line, '-') || error_mark.compare(0, line.size(), line) == 0;
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
      frame_lines_ = 0;
    } else if ((framed_ && !tells_error(line_)) || is_of_mpi(line_)) {
      keep(line_);
      if (framed_ && ++frame_lines_ == longest_frame) framed_ = false;
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
  error_told_ |= tells_error(line);
  if (tells_error(line) || (!framed_ && !is_of_mpi(line))) return line;
  keep(line);
  return "";
}

void StarterWords::keep(const std::string& line) {
  mpi_ += line + '\n';
  if (mpi_.size() > most_kept) mpi_.erase(0, mpi_.size() - most_kept);
}

std::string StarterWords::of_mpi() const {
  std::istringstream words(mpi_);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  if (line.size() <= longest_told) return line;
  return "... " + line.substr(line.find(' ', line.size() - longest_told) + 1);
}

}  // namespace smoothlab::launcher
