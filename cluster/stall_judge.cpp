#include "cluster/stall_judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace smoothlab::cluster {
namespace {

/// Heartbeats that may fail to come before a rank counts as silent: they wait for the lock of MPI, and for a
/// core on a busy machine.
constexpr int missed_heartbeats = 8;
constexpr std::chrono::milliseconds least_silence{2000};

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.0f} s", static_cast<double>(time.count()) / 1e3);
}

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t most = 8;
  std::string all =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + std::min(names.size(), most), ", "));
  if (names.size() > most) all += fmt::format(" and {} more", names.size() - most);
  return all;
}

}  // namespace

std::string rank_name(int rank, const Heartbeat& heartbeat) {
  return fmt::format("rank {}{}{}", rank, heartbeat.host[0] ? " on " : "", heartbeat.host);
}

std::string collective_name(const Heartbeat& heartbeat) {
  return fmt::format("{} {} ({:.1f} MB)", heartbeat.operation, heartbeat.waiting_for,
                     static_cast<double>(heartbeat.bytes) / 1e6);
}

StallJudge::StallJudge(int ranks, std::chrono::milliseconds limit, std::chrono::milliseconds interval,
                       Clock::time_point now)
    : limit_(limit), interval_(interval), ranks_(static_cast<size_t>(ranks), Rank{{}, now}) {}

void StallJudge::hear(int rank, const Heartbeat& heartbeat, Clock::time_point now) {
  ranks_.at(static_cast<size_t>(rank)) = {heartbeat, now};
}

std::optional<StallJudge::Verdict> StallJudge::verdict(Clock::time_point now) const {
  const Rank* waiting = nullptr;
  for (const Rank& rank : ranks_)
    if (!waiting || rank.last.waiting_ms > waiting->last.waiting_ms) waiting = &rank;
  const std::chrono::milliseconds waited(waiting->last.waiting_ms);
  if (waited <= limit_) return std::nullopt;

  std::vector<std::string> silent, absent;
  bool late = false;  // who has not been heard of lately may yet turn out to be silent
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const std::string name = rank_name(static_cast<int>(r), ranks_[r].last);
    const auto silence = now - ranks_[r].heard;
    if (silence > std::max(missed_heartbeats * interval_, least_silence)) silent.push_back(name);
    late |= silence > missed_heartbeats / 2 * interval_;
    if (ranks_[r].last.started < waiting->last.waiting_for) absent.push_back(name);
  }
  const std::string collective = collective_name(waiting->last);
  const auto waited_for = [&](const std::vector<std::string>& names, const char* fault) {
    const std::string who = names.size() == 1 ? "a rank has" : fmt::format("{} ranks have", names.size());
    return Verdict{
        fmt::format("{} {} {}, in which others have waited {}", who, fault, collective, seconds(waited)),
        joined(names)};
  };
  if (!silent.empty()) return waited_for(silent, "fallen silent during");
  if (!absent.empty()) return waited_for(absent, "not joined");
  if (late) return std::nullopt;
  return Verdict{
      fmt::format("{} makes no progress, although all ranks joined it {} ago", collective, seconds(waited)),
      "the network between the ranks, or a device that stands still"};
}

}  // namespace smoothlab::cluster
