#include "launcher/local_backend.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "cluster/device.h"
#include "launcher/child_process.h"
#include "launcher/prepared_run.h"
#include "launcher/run_state.h"

namespace smoothlab::launcher {
namespace {

constexpr std::chrono::milliseconds poll_every{10};
/// A request that comes before a child can hear it is lost.
constexpr std::chrono::milliseconds remind_every{1000};

/// An open file for a child to write into.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path)
      : number_(open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666)) {
    if (number_ < 0)
      throw EnvironmentError(std::string("cannot write: ") + std::strerror(errno), path,
                             "check the folder and its free space");
  }
  ~OutputFile() { close(number_); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// What a process calls the devices that it may use: the entries of CUDA_VISIBLE_DEVICES, or numbers.
std::vector<std::string> visible_devices() {
  std::vector<std::string> devices;
  const int count = cluster::cuda_devices();
  const char* named = std::getenv("CUDA_VISIBLE_DEVICES");
  std::istringstream entries(named ? named : "");
  for (std::string entry; std::getline(entries, entry, ',');) devices.push_back(entry);
  for (int i = static_cast<int>(devices.size()); i < count; ++i) devices.push_back(std::to_string(i));
  devices.resize(static_cast<size_t>(count));
  return devices;
}

ExitCode code_of(int exit_code) {
  for (const ExitCode known : {ExitCode::usage, ExitCode::data, ExitCode::environment})
    if (exit_code == static_cast<int>(known)) return known;
  return ExitCode::failure;
}

}  // namespace

int threads_of_rank(const LocalOptions& options) {
  if (options.threads > 0 || options.jobs == 1) return options.threads;
  if (cluster::wanted_threads(std::getenv("OMP_NUM_THREADS")) > 0) return 0;
  return std::max(1, cluster::available_cores() / (options.jobs * options.ranks));
}

LocalBackend::LocalBackend(const LocalOptions& options, cluster::FileSystem& files)
    : options_(options), files_(files) {
  options_.threads = threads_of_rank(options);
}

LocalBackend::~LocalBackend() {
  if (children_.empty()) return;
  stop_all();
  while (!children_.empty()) wait(std::chrono::milliseconds(1000));
}

std::vector<std::string> LocalBackend::command(const StudyRun& run) const {
  std::vector<std::string> words = {own_path(), "train",    prepared_recipe(run),
                                    "--run",    run.folder, "--resume"};
  const auto add = [&](const char* option, int value) {
    words.emplace_back(option);
    words.push_back(std::to_string(value));
  };
  if (options_.ranks > 1) add("--ranks", options_.ranks);
  if (options_.threads > 0) add("--threads", options_.threads);
  return words;
}

std::vector<std::string> LocalBackend::environment(int slot) const {
  if (options_.jobs == 1) return {};
  const auto devices = visible_devices();
  if (devices.size() < 2) return {};
  std::string own;
  const size_t ranks = std::min(static_cast<size_t>(options_.ranks), devices.size());
  for (size_t i = 0; i < ranks; ++i)
    own += (own.empty() ? "" : ",") + devices[(static_cast<size_t>(slot) * ranks + i) % devices.size()];
  return {"CUDA_VISIBLE_DEVICES=" + own};
}

int LocalBackend::free_slot() const {
  int slot = 0;
  while (std::any_of(children_.begin(), children_.end(), [&](const auto& one) { return one.slot == slot; }))
    ++slot;
  return slot;
}

void LocalBackend::start(size_t index, const StudyRun& run) {
  prepare_run(files_, run);
  const OutputFile err(stderr_path(run.folder)), out("/dev/null");
  const int slot = free_slot();
  const pid_t pid = start_child(command(run), {nullptr, out.number(), err.number(), environment(slot)});
  children_.push_back({pid, index, slot, run.folder});
}

std::optional<RunEnd> LocalBackend::wait(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    for (auto child = children_.begin(); child != children_.end(); ++child) {
      int status = 0;
      if (waitpid(child->pid, &status, WNOHANG) != child->pid) continue;
      const RunEnd end = end_of(*child, status);
      children_.erase(child);
      return end;
    }
    if (Clock::now() >= until) return std::nullopt;
    if (stopping_ && Clock::now() - asked_ > remind_every) stop_all();
    std::this_thread::sleep_for(poll_every);
  }
}

void LocalBackend::stop_all() {
  stopping_ = true;
  asked_ = Clock::now();
  for (const Child& child : children_) kill(child.pid, SIGTERM);
}

RunEnd LocalBackend::end_of(const Child& child, int status) const {
  RunEnd end{child.run, {}};
  if (WIFSIGNALED(status)) {
    // Before it could listen.
    if (stopping_ && WTERMSIG(status) == SIGTERM) return end;
    end.failure = RunError("the run was ended by " + signal_name(WTERMSIG(status)), child.folder,
                           "its checkpoints are whole; run the study again to go on");
    return end;
  }
  const int code = WEXITSTATUS(status);
  if (code == static_cast<int>(ExitCode::done) || code == static_cast<int>(ExitCode::requeue)) return end;
  const std::string told = told_error(files_, child.folder);
  if (told.empty())
    end.failure = RunError(fmt::format("train ended with exit code {}", code), child.folder,
                           "see " + stderr_path(child.folder));
  else
    end.failure = Error(code_of(code), told, "", "");
  return end;
}

}  // namespace smoothlab::launcher
