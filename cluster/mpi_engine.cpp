#include "cluster/mpi_engine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cluster/error.h"
#include "cluster/failure.h"
#include "cluster/machine_probe.h"

namespace smoothlab::cluster {
namespace {

using std::chrono::microseconds;

/// Two pieces keep the ranks busy while one ends; more only take scratch memory.
constexpr size_t most_under_way = 2;

std::string message_of(int code) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  return {text, static_cast<size_t>(length)};
}

/// Patience of a thread that waits for MPI: at first it only polls, then lets others run in between, then
/// sleeps, since a wait this long means that a peer still computes.
class Patience {
 public:
  void restart() { *this = Patience(); }
  void pause() {
    if (++polls_ < 64) return;
    const auto waited = std::chrono::steady_clock::now() - start_;
    if (waited < microseconds(2000))
      sched_yield();
    else
      std::this_thread::sleep_for(microseconds(20));
  }

 private:
  int polls_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

MpiEngine::MpiEngine() {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized)
    throw EnvironmentError("MPI has been started already in this process", "MPI",
                           "keep one communicator for the life of the process");
  int provided = MPI_THREAD_SINGLE;
  require(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "start");
  if (provided < MPI_THREAD_SERIALIZED)
    throw EnvironmentError("this MPI does not allow calls from several threads", "MPI",
                           "use an MPI with MPI_THREAD_SERIALIZED");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  require(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "duplicate the communicator");
  MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (size_ == 1 && !std::getenv("OMPI_COMM_WORLD_SIZE") && tasks && std::atoi(tasks) > 1)
    throw EnvironmentError("srun started " + std::string(tasks) + " ranks, but MPI sees only one", "MPI",
                           "start with srun --mpi=pmix, or with mpirun");
  MPI_Comm node = MPI_COMM_NULL;
  require(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node), "find the node");
  MPI_Comm_rank(node, &local_rank_);
  MPI_Comm_size(node, &local_size_);
  MPI_Comm_free(&node);
  background_ = std::thread([this] { run_in_background(); });
}

MpiEngine::~MpiEngine() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_stall_ = nullptr;  // whoever would act is on the way out itself
  }
  const bool unwinding = std::uncaught_exceptions() > exceptions_at_start_;
  if (!unwinding) {
    Patience patience;
    for (bool idle = false; !idle; patience.pause()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (advance()) patience.restart();
      idle = under_way_.empty();  // and with them the queue
    }
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  background_.join();
  if (!unwinding && watch_) watch_->close();
  // MPI_Finalize waits for the peers, which may wait for us inside a collective. A process that ends
  // without it and with an exit code other than 0 makes mpirun end the others.
  if (unwinding) return;
  MPI_Comm_free(&comm_);
  MPI_Finalize();
}

void MpiEngine::require(int code, const char* action) const {
  if (code == MPI_SUCCESS) return;
  throw EnvironmentError("MPI cannot " + std::string(action) + ": " + message_of(code),
                         "rank " + std::to_string(rank_), "check that the other ranks and the network live");
}

std::shared_ptr<MpiOperation> MpiEngine::start(const char* name, const at::Tensor& tensor, int64_t elements,
                                               int64_t width, MpiOperation::Issue issue) {
  auto operation = std::make_shared<MpiOperation>();
  operation->name = name;
  operation->tensor = tensor;
  operation->issue = std::move(issue);
  operation->elements = elements;
  operation->chunk = chunk_bytes / width;
  operation->bytes = elements * width;
  operation->done = elements == 0;
  if (operation->done) return operation;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    operation->number = ++started_;
    queue_.push_back(operation);
    issue_pieces();
  }
  work_.notify_one();
  return operation;
}

void MpiEngine::issue_pieces() {
  while (!queue_.empty() && under_way_.size() < most_under_way) {
    const auto operation = queue_.front();
    const auto count = static_cast<int>(std::min(operation->chunk, operation->elements - operation->issued));
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = operation->issue(static_cast<char*>(operation->tensor.data_ptr()), operation->issued,
                                      count, comm_, &request);
    note_failure(*operation, code);
    operation->issued += count;
    ++operation->pieces_under_way;
    under_way_.emplace_back(request, operation);
    if (operation->issued == operation->elements) queue_.pop_front();
  }
}

void MpiEngine::note_failure(MpiOperation& operation, int code) const {
  try {
    require(code, operation.name);
  } catch (const Error&) {
    if (!operation.failure) operation.failure = std::current_exception();
  }
}

bool MpiEngine::advance() {
  const auto finished = [this](std::pair<MPI_Request, std::shared_ptr<MpiOperation>>& piece) {
    MpiOperation& operation = *piece.second;
    int done = 0;
    const int code = MPI_Test(&piece.first, &done, MPI_STATUS_IGNORE);
    note_failure(operation, code);
    if (!done && code == MPI_SUCCESS) return false;
    --operation.pieces_under_way;
    if (operation.pieces_under_way == 0 && operation.issued == operation.elements) {
      operation.done = true;
      operation.tensor.reset();
    }
    return true;
  };
  const size_t before = under_way_.size();
  under_way_.erase(std::remove_if(under_way_.begin(), under_way_.end(), finished), under_way_.end());
  const bool any_ended = under_way_.size() < before;
  issue_pieces();
  return any_ended;
}

void MpiEngine::wait(const MpiOperation& operation) {
  Patience patience;
  std::unique_lock<std::mutex> lock(mutex_);
  ++waiting_;
  waiting_for_ = &operation;
  waiting_since_ = Clock::now();
  while (!operation.done) {
    if (advance()) patience.restart();
    if (operation.done) break;
    lock.unlock();
    patience.pause();
    lock.lock();
  }
  --waiting_;
  waiting_for_ = nullptr;
  const bool more = !under_way_.empty();
  lock.unlock();
  if (more) work_.notify_one();
  if (operation.failure) std::rethrow_exception(operation.failure);
}

void MpiEngine::run_in_background() {
  prctl(PR_SET_TIMERSLACK, 1000UL);  // ns
  // Within a node it is the cores that move the data, which is cheapest while they have nothing else to do;
  // between nodes the network does, and should not wait for us.
  const microseconds pause(local_size_ == size_ ? 300 : 100);
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    beat_if_due(lock);
    if (under_way_.empty() || waiting_ > 0) {
      if (on_stall_)
        work_.wait_until(lock, next_beat_);
      else
        work_.wait(lock);
      continue;
    }
    advance();
    lock.unlock();
    std::this_thread::sleep_for(pause);
    lock.lock();
  }
}

void MpiEngine::watch(std::chrono::milliseconds limit, StallAction act) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (watch_) throw RunError("the ranks are watched already", "MPI", "watch once");
    watch_.emplace(comm_, limit);
    on_stall_ = std::move(act);
    next_beat_ = Clock::now();
  }
  work_.notify_all();
}

void MpiEngine::observe(std::function<void(Heartbeat&)> look) {
  const std::lock_guard<std::mutex> lock(mutex_);
  look_ = std::move(look);
}

int64_t MpiEngine::count_collective() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ++started_;
}

Heartbeat MpiEngine::heartbeat() const {
  Heartbeat own;
  own.started = started_;
  std::strncpy(own.host, host_name().c_str(), sizeof own.host - 1);
  if (!waiting_for_) return own;
  own.waiting_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - waiting_since_).count();
  own.waiting_for = waiting_for_->number;
  own.bytes = waiting_for_->bytes;
  std::strncpy(own.operation, waiting_for_->name, sizeof own.operation - 1);
  return own;
}

std::optional<Error> MpiEngine::beat() {
  Heartbeat own = heartbeat();
  try {
    if (look_) look_(own);
  } catch (const std::exception& failure) {
    return as_error(failure);
  }
  return watch_->beat(own);
}

void MpiEngine::beat_if_due(std::unique_lock<std::mutex>& lock) {
  if (!on_stall_ || Clock::now() < next_beat_) return;
  const auto stall = beat();
  next_beat_ = Clock::now() + watch_->interval();
  if (!stall) return;
  const StallAction act = std::exchange(on_stall_, nullptr);
  lock.unlock();
  act(*stall);
  lock.lock();
}

void MpiEngine::abort(int exit_code) {
  // Not for ever: another thread may hang inside MPI.
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  for (int tries = 0; tries < 200 && !lock.try_lock(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::fflush(nullptr);
  // MPI's own words about an abort would bury the line that says why.
  const int null = open("/dev/null", O_WRONLY);
  if (null >= 0) dup2(null, STDERR_FILENO);
  if (lock.owns_lock()) MPI_Abort(comm_, exit_code);
  std::_Exit(exit_code);
}

}  // namespace smoothlab::cluster
