#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>

namespace smoothlab::cluster {

/// People read this on stderr and, in a run folder, in log.txt. One object a run, passed by reference.
/// Rank 0 speaks; other ranks' information is dropped, their warnings are kept and named by rank.
class Log {
 public:
  Log(int rank, bool quiet = false);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// From now on also append to this file, with times (rank 0).
  void also_to(const std::string& path);

  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write_info(fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    write_warning(fmt::format(format, std::forward<Args>(args)...));
  }

  /// Progress of long work: redrawn in place on a terminal, elsewhere a plain line at most every 10 s.
  void progress(const std::string& line);
  /// Takes away the line that progress() redraws: "0 s left" is no last word.
  void progress_done();

 private:
  void write_info(const std::string& line);
  void write_warning(const std::string& line);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::cluster
