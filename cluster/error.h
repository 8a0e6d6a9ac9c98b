#pragma once

#include <exception>
#include <string>

namespace smoothlab {

/// What the process tells its caller. 75 (EX_TEMPFAIL) is what schedulers take for "requeue me".
enum class ExitCode : int { done = 0, failure = 1, usage = 2, data = 3, environment = 4, requeue = 75 };

/// An error says what went wrong, where (file, line or offset, key, rank), and what to do about it.
/// Only the program's entry turns it into a line on stderr and an exit code.
class Error : public std::exception {
 public:
  Error(ExitCode code, std::string what, std::string where, std::string remedy);

  ExitCode code() const noexcept { return code_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& remedy() const noexcept { return remedy_; }
  const std::string& problem() const noexcept { return what_; }

  /// "what, where, what to do" on one line: control characters and newlines are replaced by spaces.
  const char* what() const noexcept override { return line_.c_str(); }

 private:
  ExitCode code_;
  std::string what_, where_, remedy_, line_;
};

/// The command line or a recipe is wrong (exit 2).
class UsageError : public Error {
 public:
  UsageError(std::string what, std::string where, std::string remedy)
      : Error(ExitCode::usage, std::move(what), std::move(where), std::move(remedy)) {}
};

/// A file given as input is missing, damaged or of another kind (exit 3).
class DataError : public Error {
 public:
  DataError(std::string what, std::string where, std::string remedy)
      : Error(ExitCode::data, std::move(what), std::move(where), std::move(remedy)) {}
};

/// The machine lacks something: space, memory, a device, a library, a peer (exit 4).
class EnvironmentError : public Error {
 public:
  EnvironmentError(std::string what, std::string where, std::string remedy)
      : Error(ExitCode::environment, std::move(what), std::move(where), std::move(remedy)) {}
};

/// Anything else, such as a loss that is not finite (exit 1).
class RunError : public Error {
 public:
  RunError(std::string what, std::string where, std::string remedy)
      : Error(ExitCode::failure, std::move(what), std::move(where), std::move(remedy)) {}
};

}  // namespace smoothlab
