#include "cluster/mpi_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "cluster/machine_probe.h"

namespace smoothlab::cluster {
namespace {

using std::chrono::milliseconds;

constexpr int tag = 1;
const char* remedy =
    "look what that process does; go on from the last checkpoint; allow longer pauses with --stall-limit";

}  // namespace

MpiWatch::MpiWatch(MPI_Comm ranks, milliseconds limit)
    : limit_(limit), interval_(std::clamp(limit / 20, milliseconds(50), milliseconds(10000))) {
  int size = 1;
  if (MPI_Comm_dup(ranks, &comm_) != MPI_SUCCESS)
    throw EnvironmentError("MPI cannot duplicate the communicator", "the watch over stalls",
                           "check that the other ranks and the network live");
  MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size);
  std::strncpy(root_.host, host_name().c_str(), sizeof root_.host - 1);
  MPI_Bcast(root_.host, sizeof root_.host, MPI_BYTE, 0, comm_);
  others_ = size - 1;
  if (rank_ == 0) judge_.emplace(size, limit_, interval_, Clock::now());
}

void MpiWatch::tell(const Heartbeat& own) {
  int free = 0;
  if (MPI_Test(&telling_, &free, MPI_STATUS_IGNORE) != MPI_SUCCESS || !free) return;
  told_ = own;
  MPI_Isend(&told_, sizeof told_, MPI_BYTE, 0, tag, comm_, &telling_);
}

void MpiWatch::hear() {
  for (;;) {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_, &there, &status) != MPI_SUCCESS || !there) return;
    Heartbeat heartbeat;
    if (MPI_Recv(&heartbeat, sizeof heartbeat, MPI_BYTE, status.MPI_SOURCE, tag, comm_, MPI_STATUS_IGNORE) !=
        MPI_SUCCESS)
      return;
    judge_->hear(status.MPI_SOURCE, heartbeat, Clock::now());
    others_ -= static_cast<int>(heartbeat.last);
  }
}

std::optional<Error> MpiWatch::beat(const Heartbeat& own) {
  if (judge_) {
    judge_->hear(0, own, Clock::now());
    hear();
    const auto verdict = judge_->verdict(Clock::now());
    if (!verdict) return std::nullopt;
    return RunError(verdict->problem, verdict->where, remedy);
  }
  tell(own);
  // Time for rank 0 to speak, and to be slow about it.
  const milliseconds grace = std::max(20 * interval_, milliseconds(5000));
  if (milliseconds(own.waiting_ms) <= limit_ + grace) return std::nullopt;
  return RunError(fmt::format("a rank has fallen silent during {}, in which others have waited {:.0f} s",
                              collective_name(own), static_cast<double>(own.waiting_ms) / 1e3),
                  rank_name(0, root_), remedy);
}

void MpiWatch::close() {
  if (judge_) {
    for (hear(); others_ > 0; hear()) std::this_thread::sleep_for(milliseconds(1));
  } else {
    MPI_Wait(&telling_, MPI_STATUS_IGNORE);
    Heartbeat last;
    last.last = 1;
    MPI_Send(&last, sizeof last, MPI_BYTE, 0, tag, comm_);
  }
  MPI_Comm_free(&comm_);
}

}  // namespace smoothlab::cluster
