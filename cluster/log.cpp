#include "cluster/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto plain_progress_every = std::chrono::seconds(10);

bool has_colours() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(no_colour && *no_colour) && terminal && std::string(terminal) != "dumb";
}

/// What fits on one line of the terminal: a line that wraps cannot be redrawn in place.
std::string fitted(const std::string& line) {
  struct winsize window {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col < 2) return line;
  size_t columns = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (starts_character && ++columns == window.ws_col) return line.substr(0, i);
  }
  return line;
}

}  // namespace

struct Log::State {
  State(int r, bool q) : rank(r), quiet(q), terminal(isatty(STDERR_FILENO)) {
    const auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(
        has_colours() ? spdlog::color_mode::always : spdlog::color_mode::never);
    sink->set_color(spdlog::level::info, sink->reset);
    screen = std::make_unique<spdlog::logger>("screen", sink);
    screen->set_pattern("%^%v%$");
    screen->flush_on(spdlog::level::info);
  }

  void erase_progress() {
    if (!drawn.empty()) std::fputs("\r\033[K", stderr);
  }
  void draw_progress() {
    if (drawn.empty()) return;
    std::fputs(("\r\033[K" + fitted(drawn)).c_str(), stderr);
    std::fflush(stderr);
  }
  void to_screen(spdlog::level::level_enum level, const std::string& line) {
    erase_progress();
    screen->log(level, line);
    draw_progress();
  }
  void to_file(spdlog::level::level_enum level, const std::string& line) {
    if (!file) return;
    file->log(level, line);
    if (file_problem.empty()) return;
    // A log that cannot be written is no reason to lose the run. What matters more will fail by itself.
    file.reset();
    to_screen(spdlog::level::warn, "warning: the log file is no longer written: " + file_problem);
  }

  const int rank;
  const bool quiet, terminal;
  std::mutex mutex;
  std::unique_ptr<spdlog::logger> screen, file;
  std::string file_problem;
  std::string drawn;  ///< the progress line on the terminal now
  Clock::time_point last_plain{};
  bool any_plain = false;
};

Log::Log(int rank, bool quiet) : state_(std::make_unique<State>(rank, quiet)) {}

Log::~Log() {
  progress_done();
}

void Log::also_to(const std::string& path) {
  if (state_->rank != 0) return;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  try {
    const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false);
    state_->file = std::make_unique<spdlog::logger>("file", sink);
  } catch (const spdlog::spdlog_ex& problem) {
    throw EnvironmentError("cannot write the log: " + std::string(problem.what()), path,
                           "check the folder and its free space");
  }
  state_->file->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %v");
  state_->file->flush_on(spdlog::level::info);
  state_->file->set_error_handler(
      [state = state_.get()](const std::string& problem) { state->file_problem = problem; });
}

void Log::write_info(const std::string& line) {
  if (state_->rank != 0) return;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->quiet) state_->to_screen(spdlog::level::info, line);
  state_->to_file(spdlog::level::info, line);
}

void Log::write_warning(const std::string& line) {
  const std::string speaker = state_->rank == 0 ? "" : fmt::format("rank {}: ", state_->rank);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->to_screen(spdlog::level::warn, "warning: " + speaker + line);
  state_->to_file(spdlog::level::warn, "warning: " + speaker + line);
}

void Log::progress(const std::string& line) {
  if (state_->rank != 0 || state_->quiet) return;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->terminal) {
    state_->drawn = line;
    state_->draw_progress();
    return;
  }
  const auto now = Clock::now();
  if (state_->any_plain && now - state_->last_plain < plain_progress_every) return;
  state_->any_plain = true;
  state_->last_plain = now;
  state_->to_screen(spdlog::level::info, line);
}

void Log::progress_done() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->erase_progress();
  std::fflush(stderr);
  state_->drawn.clear();
  state_->any_plain = false;
}

}  // namespace smoothlab::cluster
