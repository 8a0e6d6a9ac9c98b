#include "launcher/study_runner.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <set>

#include "cluster/duration.h"
#include "cluster/error.h"
#include "cluster/failure.h"
#include "launcher/study_pace.h"
#include "launcher/study_record.h"

namespace smoothlab::launcher {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_every{200};
constexpr std::chrono::seconds show_every{1};

class Sitting {
 public:
  Sitting(const StudyPlan& plan, const std::vector<size_t>& selected, int at_once, RunBackend& backend,
          cluster::FileSystem& files, cluster::Log& log, const cluster::StopSignal& stop)
      : plan_(plan),
        selected_(selected),
        at_once_(at_once),
        backend_(backend),
        files_(files),
        log_(log),
        stop_(stop),
        stages_(plan.runs.size(), Stage::left_out),
        problems_(plan.runs.size()),
        steps_(steps_of_runs(plan)) {
    for (const size_t i : selected) stages_[i] = Stage::waiting;
  }

  StudyOutcome run() {
    files_.make_folders(plan_.folder);
    const auto lock = files_.lock(plan_.folder + "/.lock");
    // Only now: what another sitting had to end is ended.
    states_ = states_of(files_, plan_);
    refuse_changed(plan_, selected_, states_);
    recorded_ = recorded_as_done(files_, plan_.folder);
    for (const size_t i : selected_) {
      if (states_[i].phase == RunPhase::done) stages_[i] = Stage::whole;
      if (states_[i].phase == RunPhase::waiting && recorded_.count(plan_.runs[i].name) > 0)
        log_.warning("{} had been done, and its folder is gone: it is trained again", plan_.runs[i].folder);
    }
    for (size_t i = 0; i < plan_.runs.size(); ++i)
      if (states_[i].phase == RunPhase::done) recorded_.insert(plan_.runs[i].name);
    for (const size_t i : selected_) warn_of_new_origin(i);
    write_record(files_, plan_, recorded_);
    log_.info("{}: {} runs in {}, {} to train", plan_.name, selected_.size(), plan_.folder,
              count(Stage::waiting));
    for (;;) {
      heed_stop();
      const bool busy = start_what_can();
      if (running_ == 0 && (!busy || request_ != cluster::StopRequest::none)) break;
      if (const auto end = backend_.wait(look_every)) take(*end);
      show_progress();
    }
    log_.progress_done();
    return outcome();
  }

 private:
  enum class Stage { left_out, waiting, running, whole, done, stopped, failed, skipped };

  const StudyRun& run_at(size_t i) const { return plan_.runs[i]; }

  /// Of a run that stays as it is though one that it comes after does not.
  void warn_of_new_origin(size_t i) {
    if (stages_[i] != Stage::whole) return;
    for (const size_t other : run_at(i).after)
      if (states_[other].phase != RunPhase::done)
        log_.warning(
            "{} is whole and is kept, though {}, which it comes after, has yet to be trained: remove "
            "its folder to train it anew",
            run_at(i).name, run_at(other).name);
  }

  int count(Stage stage) const {
    return static_cast<int>(
        std::count_if(selected_.begin(), selected_.end(), [&](size_t i) { return stages_[i] == stage; }));
  }

  void heed_stop() {
    if (request_ != cluster::StopRequest::none || stop_.requested() == cluster::StopRequest::none) return;
    request_ = stop_.requested();
    if (running_ > 0)
      log_.info("asked to stop: {} {} at the next checkpoint", running_,
                running_ == 1 ? "run ends" : "runs end");
    backend_.stop_all();
  }

  /// Whether there is a run to wait for that another process trains.
  bool start_what_can() {
    if (request_ != cluster::StopRequest::none) return false;
    bool busy = false;
    for (const size_t i : selected_) {
      if (stages_[i] != Stage::waiting) continue;
      if (const size_t* lost = lost_before(i)) {
        skip(i, *lost);
        continue;
      }
      if (!is_ready(i)) continue;
      if (files_.locked(run_at(i).folder + "/.lock")) {
        busy = true;
        if (told_busy_.insert(i).second)
          log_.info("{}: another process trains it; waiting for that", run_at(i).name);
        continue;
      }
      if (backend_.room() == 0) continue;
      start(i);
    }
    return busy || (running_ == 0 && count(Stage::waiting) > 0);
  }

  bool is_ready(size_t i) const {
    const auto& after = run_at(i).after;
    return std::all_of(after.begin(), after.end(), [&](size_t other) {
      return stages_[other] == Stage::whole || stages_[other] == Stage::done;
    });
  }

  /// A run that this one comes after and that will not be whole in this sitting.
  const size_t* lost_before(size_t i) const {
    for (const size_t& other : run_at(i).after)
      if (stages_[other] == Stage::failed || stages_[other] == Stage::skipped ||
          stages_[other] == Stage::stopped)
        return &other;
    return nullptr;
  }

  void skip(size_t i, size_t because) {
    stages_[i] = Stage::skipped;
    const char* what = stages_[because] == Stage::failed    ? "failed"
                       : stages_[because] == Stage::stopped ? "was stopped"
                                                            : "was skipped";
    problems_[i] = run_at(because).name + " " + what;
    log_.info("{}: skipped, as {}", run_at(i).name, problems_[i]);
  }

  void start(size_t i) {
    // Whoever trained it until now may have ended it.
    states_[i] = run_state(files_, run_at(i));
    if (states_[i].phase == RunPhase::done) {
      finish(i);
      return;
    }
    if (states_[i].phase == RunPhase::changed) {
      fail(i, UsageError(states_[i].problem, run_at(i).folder, "remove the folder to train it anew"));
      return;
    }
    try {
      backend_.start(i, run_at(i));
      stages_[i] = Stage::running;
      ++running_;
      log_.info("{}: {}", run_at(i).name,
                states_[i].step > 0 ? fmt::format("goes on after step {}", states_[i].step) : "starts");
    } catch (const std::exception& failure) {
      const Error error = cluster::as_error(failure);
      keep_for_status(run_at(i), error);
      fail(i, error);
    }
  }

  void take(const RunEnd& end) {
    --running_;
    states_[end.run] = run_state(files_, run_at(end.run));
    if (end.failure && files_.locked(run_at(end.run).folder + "/.lock")) {
      stages_[end.run] = Stage::waiting;  // another process was faster, and trains it
    } else if (end.failure) {
      keep_for_status(run_at(end.run), *end.failure);
      states_[end.run] = run_state(files_, run_at(end.run));
      fail(end.run, *end.failure);
    } else if (states_[end.run].phase == RunPhase::done) {
      finish(end.run);
    } else if (states_[end.run].phase == RunPhase::failed && request_ == cluster::StopRequest::none) {
      fail(end.run, RunError(states_[end.run].problem, "", ""));
    } else {
      stages_[end.run] = Stage::stopped;
      stopped_elsewhere_ = stopped_elsewhere_ || request_ == cluster::StopRequest::none;
      log_.info("{}: stopped after step {}", run_at(end.run).name, states_[end.run].step);
    }
  }

  void finish(size_t i) {
    stages_[i] = Stage::done;
    recorded_.insert(run_at(i).name);
    write_record(files_, plan_, recorded_);
    const auto& last = states_[i].evaluation;
    log_.info("{}: done in {}{}", run_at(i).name, cluster::duration_text(states_[i].seconds),
              last ? fmt::format(", {} accuracy {:.4f}, NLL {:.4f}, ECE {:.4f}", last->split, last->accuracy,
                                 last->nll, last->ece)
                   : "");
  }

  void fail(size_t i, const Error& failure) {
    stages_[i] = Stage::failed;
    problems_[i] = failure.what();
    if (!failure_) failure_ = failure;
    log_.progress_done();
    std::cerr << "error: " << run_at(i).name << ": " << failure.what() << std::endl;
  }

  /// So that later the state of the folder says so too.
  void keep_for_status(const StudyRun& run, const Error& failure) {
    try {
      if (!told_error(files_, run.folder).empty() || !files_.exists(run.folder)) return;
      const std::string line = std::string("error: ") + failure.what() + "\n";
      const auto file = files_.append(stderr_path(run.folder));
      file->write(line.data(), line.size());
      file->close();
    } catch (const Error&) {
      // It has been told on the screen; the disk that took no more is most likely why it failed.
    }
  }

  void show_progress() {
    if (Clock::now() - shown_ < show_every) return;
    shown_ = Clock::now();
    try {
      for (const size_t i : selected_)
        if (stages_[i] == Stage::running) states_[i] = run_state(files_, run_at(i));
    } catch (const Error&) {
      // A disk that hiccups ends no run for the sake of a line; the states before will do.
    }
    std::vector<size_t> going;
    for (const size_t i : selected_)
      if (stages_[i] == Stage::running || stages_[i] == Stage::waiting) going.push_back(i);
    const auto left = seconds_left(plan_, going, states_, steps_, pace_of_stages(plan_, states_), at_once_);
    std::string text =
        fmt::format("{} of {} runs done, {} running, {} waiting", count(Stage::whole) + count(Stage::done),
                    selected_.size(), running_, count(Stage::waiting));
    if (const int failed = count(Stage::failed)) text += fmt::format(", {} failed", failed);
    if (const int skipped = count(Stage::skipped)) text += fmt::format(", {} skipped", skipped);
    if (left) text += fmt::format("  {} left", cluster::duration_text(*left));
    log_.progress(text);
  }

  StudyOutcome outcome() const {
    StudyOutcome result;
    for (const size_t i : selected_) {
      RunFate fate = RunFate::stopped;
      if (stages_[i] == Stage::whole) fate = RunFate::whole;
      if (stages_[i] == Stage::done) fate = RunFate::done;
      if (stages_[i] == Stage::failed) fate = RunFate::failed;
      if (stages_[i] == Stage::skipped) fate = RunFate::skipped;
      result.fates.push_back(fate);
      result.problems.push_back(problems_[i]);
    }
    result.failure = failure_;
    result.request = request_;
    result.stopped_elsewhere = stopped_elsewhere_;
    return result;
  }

  const StudyPlan& plan_;
  const std::vector<size_t>& selected_;
  const int at_once_;
  RunBackend& backend_;
  cluster::FileSystem& files_;
  cluster::Log& log_;
  const cluster::StopSignal& stop_;
  std::vector<Stage> stages_;
  std::vector<std::string> problems_;
  const std::vector<int64_t> steps_;
  std::vector<RunState> states_;
  std::set<std::string> recorded_;
  std::set<size_t> told_busy_;
  std::optional<Error> failure_;
  cluster::StopRequest request_ = cluster::StopRequest::none;
  bool stopped_elsewhere_ = false;
  int running_ = 0;
  Clock::time_point shown_{};
};

}  // namespace

std::vector<RunState> states_of(const cluster::FileSystem& files, const StudyPlan& plan) {
  std::vector<RunState> states;
  for (const StudyRun& run : plan.runs) states.push_back(run_state(files, run));
  return states;
}

void refuse_changed(const StudyPlan& plan, const std::vector<size_t>& selected,
                    const std::vector<RunState>& states) {
  size_t others = 0;
  const StudyRun* first = nullptr;
  std::string problem;
  for (const size_t i : selected) {
    if (states[i].phase != RunPhase::changed) continue;
    if (first) {
      ++others;
      continue;
    }
    first = &plan.runs[i];
    problem = states[i].problem;
  }
  if (!first) return;
  throw UsageError(fmt::format("the folder of {}{} holds another run, {}", first->name,
                               others > 0 ? fmt::format(" (and {} more)", others) : "", problem),
                   first->folder,
                   "undo the change, remove the folder, or give the study another one by 'runs:' or --runs");
}

StudyOutcome run_study(const StudyPlan& plan, const std::vector<size_t>& selected, int at_once,
                       RunBackend& backend, cluster::FileSystem& files, cluster::Log& log,
                       const cluster::StopSignal& stop) {
  return Sitting(plan, selected, at_once, backend, files, log, stop).run();
}

}  // namespace smoothlab::launcher
