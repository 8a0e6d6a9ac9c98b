#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smoothlab::cluster {

/// What a rank tells of itself from time to time, whatever its computation does.
struct Heartbeat {
  int64_t started = 0;      ///< collectives that it has begun since it started
  int64_t waiting_ms = 0;   ///< for how long it has been waiting in one of them; 0: it is not
  int64_t waiting_for = 0;  ///< which one, counted from 1
  int64_t bytes = 0;        ///< of that one's tensor
  int64_t last = 0;         ///< 1: no other one follows
  char operation[16] = "";  ///< its name
  char host[64] = "";
};

/// Finds out from the ranks' heartbeats who keeps the others waiting. Rank 0 has one.
class StallJudge {
 public:
  using Clock = std::chrono::steady_clock;

  /// limit: how long a rank may wait in one collective. interval: the time between two heartbeats.
  StallJudge(int ranks, std::chrono::milliseconds limit, std::chrono::milliseconds interval,
             Clock::time_point now);

  void hear(int rank, const Heartbeat& heartbeat, Clock::time_point now);

  struct Verdict {
    /// "a rank has not joined allreduce 1234 (4.0 MB), in which others have waited 600 s"
    std::string problem;
    std::string where;  ///< "rank 2 on node7"
  };
  /// Whom the ranks wait for, once one has waited longer than the limit.
  std::optional<Verdict> verdict(Clock::time_point now) const;

 private:
  struct Rank {
    Heartbeat last;
    Clock::time_point heard;
  };

  std::chrono::milliseconds limit_, interval_;
  std::vector<Rank> ranks_;
};

/// The rank as an error names it: "rank 2 on node7".
std::string rank_name(int rank, const Heartbeat& heartbeat);
/// What it waits for: "allreduce 1234 (4.0 MB)".
std::string collective_name(const Heartbeat& heartbeat);

}  // namespace smoothlab::cluster
