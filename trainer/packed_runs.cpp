#include "trainer/packed_runs.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "cluster/compute_stream.h"
#include "cluster/failure.h"

namespace smoothlab::trainer {
namespace {

/// A run of the pack while it lasts. What it throws is its own outcome.
class Member {
 public:
  Member(const PackedRun& run, cluster::Communicator& communicator, cluster::FileSystem& files,
         const cluster::StopSignal& stop)
      : log_(communicator.rank(), /*quiet=*/true) {
    outcome_.folder = run.options.folder;
    RunOptions options = run.options;
    options.quiet = true;
    guarded([&] {
      run_ = std::make_unique<TrainingRun>(run.recipe, options, communicator, files, log_);
      run_->begin(stop);
    });
  }

  /// One step; false where there was none to do.
  bool advance() {
    if (!run_) return false;
    bool more = false;
    guarded([&] {
      more = run_->advance();
      if (more) return;
      outcome_.outcome = run_->end();
      leave();
    });
    return more;
  }

  int64_t step() const { return run_ ? run_->step() : outcome_.step; }
  int64_t steps() const { return run_ ? run_->steps() : outcome_.steps; }
  const PackedOutcome& outcome() const { return outcome_; }

 private:
  template <typename Work>
  void guarded(const Work& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      outcome_.failure = cluster::as_error(failure);
      if (run_) leave();
    }
  }

  /// Gives back its memory, which the others may need.
  void leave() {
    outcome_.step = run_->step();
    outcome_.steps = run_->steps();
    outcome_.evaluation = run_->evaluation();
    run_.reset();
  }

  cluster::Log log_;
  PackedOutcome outcome_;
  std::unique_ptr<TrainingRun> run_;
};

void show_progress(const std::vector<std::unique_ptr<Member>>& members, size_t active, cluster::Log& log) {
  int64_t done = 0, all = 0;
  for (const auto& member : members) {
    done += member->step();
    all += member->steps();
  }
  log.progress(fmt::format("{} of {} runs train, {} of {} steps of all", active, members.size(), done, all));
}

}  // namespace

std::vector<PackedOutcome> train_pack(const std::vector<PackedRun>& runs, cluster::Communicator& communicator,
                                      cluster::FileSystem& files, cluster::Log& log,
                                      const cluster::StopSignal& stop) {
  if (communicator.size() > 1)
    throw UsageError(fmt::format("a pack of runs on {} ranks", communicator.size()), "packed runs",
                     "pack them on one rank, or train them one after the other");
  cluster::expect_many_streams();
  std::vector<std::unique_ptr<Member>> members;
  members.reserve(runs.size());
  for (const PackedRun& run : runs)
    members.push_back(std::make_unique<Member>(run, communicator, files, stop));
  using Clock = std::chrono::steady_clock;
  Clock::time_point shown{};
  for (size_t active = members.size(); active > 0;) {
    active = 0;
    for (const auto& member : members) active += member->advance() ? 1 : 0;
    if (Clock::now() - shown < std::chrono::milliseconds(200)) continue;
    shown = Clock::now();
    show_progress(members, active, log);
  }
  log.progress_done();
  std::vector<PackedOutcome> outcomes;
  for (const auto& member : members) outcomes.push_back(member->outcome());
  return outcomes;
}

}  // namespace smoothlab::trainer
