#include "trainer/training_run.h"

#include <fmt/format.h>

#include "cluster/compute_stream.h"
#include "cluster/device.h"
#include "cluster/duration.h"
#include "cluster/error.h"
#include "cluster/gpu.h"
#include "data/batch_stream.h"
#include "data/damaged_images.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/checkpoint_writer.h"
#include "trainer/learner.h"
#include "trainer/loaded_run.h"
#include "trainer/loss_meter.h"
#include "trainer/network_device.h"
#include "trainer/rank_agreement.h"
#include "trainer/recipe_checks.h"
#include "trainer/run_clock.h"
#include "trainer/run_folder.h"
#include "trainer/run_judge.h"
#include "trainer/run_parts.h"
#include "trainer/run_summary.h"
#include "trainer/standing_checkpoint.h"
#include "trainer/stop_agreement.h"
#include "trainer/teaching.h"

namespace smoothlab::trainer {
namespace {

using Clock = RunClock::Clock;

/// Steps that the host may have launched and the device not ended: enough for it never to run dry.
constexpr size_t steps_ahead = 2;

/// Of the free memory of a device, what samples may take: the inverse of it.
constexpr int64_t resident_share = 4;

/// "1 rank", "2 ranks".
std::string counted(int count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace

struct TrainingRun::State {
  /// While it lasts, the thread and the process compute as this run wants.
  class Turn {
   public:
    explicit Turn(const State& run) : scope_(*run.stream) { cluster::apply_for_turn(run.placement); }

   private:
    cluster::ComputeStream::Scope scope_;
  };

  const Recipe recipe;
  const RunOptions options;
  cluster::Communicator& communicator;
  cluster::FileSystem& files;
  cluster::Log& log;
  RunFolder folder;
  cluster::Placement placement;
  std::optional<cluster::ComputeStream> stream;
  data::Task task;
  std::shared_ptr<const data::BatchOrder> order;
  std::unique_ptr<RunJudge> judge;
  CheckpointChoice choice;
  int64_t total = 0, done = 0;
  bool look_pending = false;           ///< what is due of the network after `done` steps has yet to be done
  std::unique_ptr<Teaching> teaching;  // null: there is no teacher
  std::unique_ptr<Learner> learner;
  std::unique_ptr<MetricsLog> metrics;       // rank 0
  std::unique_ptr<CheckpointWriter> writer;  // rank 0
  LossMeter meter;
  RunClock clock;
  Clock::time_point shown;
  std::optional<EvaluationMetrics> last_evaluation;

  State(const Recipe& recipe_, const RunOptions& options_, cluster::Communicator& communicator_,
        cluster::FileSystem& files_, cluster::Log& log_)
      : recipe(recipe_),
        options(options_),
        communicator(communicator_),
        files(files_),
        log(log_),
        folder(files, options.folder),
        placement(cluster::place_rank(communicator, recipe.train.device, options.placement)),
        choice(recipe.checkpoint.best) {
    placement.tf32 = recipe.train.precision == "tf32";
    cluster::apply(placement);
    stream.emplace(placement.device);
    const Turn turn(*this);
    const bool holds_run = claim_folder();
    const std::string checkpoint_folder = holds_run ? reopen() : "";
    task = open_task_of(recipe);
    check_batch_fits(recipe, task.train->size());
    order = batch_order(recipe, *task.train);
    if (placement.device.is_cuda())
      task = data::keep_on_device(std::move(task), placement.device,
                                  cluster::gpu_free_bytes(placement.device.index()) / resident_share);
    judge = std::make_unique<RunJudge>(recipe, task, folder.logits(), communicator, placement, log);
    total = total_steps(recipe, *order);
    teaching = open_teaching(recipe, task, folder.path(), communicator, placement, files, log);
    std::optional<Checkpoint> checkpoint;
    if (!checkpoint_folder.empty())
      checkpoint = read_checkpoint(files, checkpoint_folder, communicator.rank(), communicator.size());
    learner = std::make_unique<Learner>(recipe, *task.train, total, communicator, placement,
                                        teaching ? teaching->live.get() : nullptr,
                                        checkpoint ? &*checkpoint : nullptr);
    if (checkpoint) restore(checkpoint->state);
    open_folder(holds_run);
    tell_start(checkpoint ? &checkpoint->state : nullptr);
  }

  bool is_root() const { return communicator.is_root(); }

  /// Whether there is a run to go on with.
  bool claim_folder() {
    return text_from_root(communicator, [this] {
             return std::string(folder.claim(options.resume) ? "yes" : "no");
           }) == "yes";
  }

  std::vector<int64_t> damaged;

  /// Folder of the checkpoint to go on from; empty: from the start.
  std::string reopen() {
    return text_from_root(communicator, [this] {
      folder.reopen(recipe);
      remove_unfinished_checkpoints(files, folder.checkpoints());
      const auto found = find_newest_checkpoint(files, folder.checkpoints(), log);
      if (!found) return std::string();
      damaged = found->damaged;
      return found->folder;
    });
  }

  /// The best checkpoint, which is whole. On rank 0.
  StandingCheckpoint find_best() const {
    return find_best_checkpoint(files, folder.checkpoints(), *choice.best(),
                                "bring it back, or go on without it with --set checkpoint.best=none");
  }

  void restore(const TrainingState& state) {
    done = state.step;
    look_pending = state.evaluation_pending;
    clock.set_earlier(state.seconds);
    choice.take_over(state.best, judge->split());
    if (state.ranks == communicator.size()) {
      meter.set_window(state.windows.at(static_cast<size_t>(communicator.rank())));
    } else if (is_root()) {
      meter.set_window(sum_of(state.windows));
    }
  }

  void open_folder(bool holds_run) {
    on_root(communicator, [&] {
      const bool goes_on = done < total || look_pending;
      if (goes_on && choice.best() && best_step() != done) find_best();
      if (holds_run)
        truncate_metrics(files, folder.metrics(), done, look_pending);
      else
        folder.begin(recipe);
      if (teaching) write_teacher(files, folder.path(), teaching->record);
      // A run that goes on has not ended.
      if (goes_on) files.remove_all(summary_path(folder.path()));
      point_to_best(files, folder.checkpoints(), best_step());
      log.also_to(folder.log());
      metrics = std::make_unique<MetricsLog>(files, folder.metrics());
      writer =
          std::make_unique<CheckpointWriter>(files, folder.checkpoints(), recipe.checkpoint.keep, damaged);
    });
  }

  void tell_start(const TrainingState* resumed) {
    log.info("{}: {} with {:.2f} M parameters on {}, {} training and {} {} samples, {} classes",
             folder.path(), recipe.model.name,
             static_cast<double>(learner->network().parameter_count()) / 1e6, task.name, task.train->size(),
             judge->split_size(), judge->split(), task.train->classes());
    log.info("{} ({}), {} each, {}, global batch {}, {} steps", counted(communicator.size(), "rank"),
             communicator.backend(), counted(placement.threads, "thread"), recipe.train.precision,
             batch_text(), total);
    if (teaching) {
      const TeacherRecord& teacher = teaching->record;
      log.info("teacher {} ({}, step {}{}), loss {}, equivalent smoothing {:.4f}", teacher.teacher,
               teacher.model.empty() ? "unknown network" : teacher.model, teacher.step,
               teacher.replayed ? ", replayed" : "", teacher.loss, teacher.gamma);
    }
    if (resumed)
      log.info("resumed after step {}{}{}", done,
               changes_since(*resumed, communicator.size(), placement.threads), best_text());
    else if (options.resume)
      log.info("no checkpoint to resume from, starting from scratch");
  }

  std::optional<int64_t> best_step() const {
    return choice.best() ? std::optional(choice.best()->evaluation.step) : std::nullopt;
  }

  std::string best_text() const {
    return choice.best() ? fmt::format(", the best by {} is step {}", choice.best()->metric, *best_step())
                         : "";
  }

  double epoch() const { return order->epochs(done); }

  /// That so many steps see, on the average where they differ.
  double samples_in(int64_t steps) const {
    return order->epochs(steps) * static_cast<double>(task.train->size());
  }

  std::string batch_text() const {
    return recipe.train.global_tokens > 0
               ? fmt::format("{} tokens or {:.0f} sentences", recipe.train.global_tokens, samples_in(1))
               : fmt::format("{}", recipe.train.global_batch);
  }

  void show_progress() {
    if (!is_root() || options.quiet || (done < total && RunClock::seconds_since(shown) < 0.2)) return;
    shown = Clock::now();
    const double rate = clock.rate(done);
    const MetricWindow& window = meter.window();
    const std::string loss =
        window.rows > 0 ? fmt::format("loss {:.4f}", window.loss / static_cast<double>(window.rows)) : "";
    log.progress(fmt::format("step {}/{}  epoch {:.2f}  {}  {:.0f} samples/s  {} left", done, total, epoch(),
                             loss, rate * samples_in(1),
                             cluster::duration_text(static_cast<double>(total - done) / rate)));
  }

  void write_metrics() {
    data::settle_damaged(*task.train, communicator, log);
    const MetricWindow sums = sum_of(gather_windows(communicator, meter.window()));
    const double norm = learner->gradient_norm();
    meter.set_window({});
    on_root(communicator, [&] {
      TrainingMetrics line;
      line.step = done;
      line.epoch = epoch();
      line.loss = sums.loss / static_cast<double>(sums.rows);
      line.accuracy = static_cast<double>(sums.correct) / static_cast<double>(sums.rows);
      line.lr = learner->learning_rate(done - 1);
      line.grad_norm = norm;
      line.seconds = clock.seconds();
      line.samples_per_second = samples_in(clock.window_steps(done)) / clock.window_seconds();
      if (!placement.device.is_cpu()) line.host_seconds = clock.launching();
      metrics->write(line);
    });
    clock.begin_window(done);
  }

  /// What is due of the network as it is now. Says whether it is the best so far.
  bool look() {
    const auto start = Clock::now();
    DueJudgement due = due_judgement(recipe, done, total), logits;
    // Those of the end are of the checkpoint that stands for the run, which this evaluation may become.
    if (done == total && choice.chooses()) std::swap(due.logits, logits.logits);
    Judged judged;
    learner->with_averages([&] { judged = judge->judge(learner->network(), done, done == total, due); });
    on_root(communicator, [&] {
      if (judged.evaluation) metrics->write(*judged.evaluation);
      if (judged.information) metrics->write(*judged.information);
    });
    if (judged.evaluation) last_evaluation = judged.evaluation;
    const bool better = judged.evaluation && choose(*judged.evaluation);
    if (logits.any()) judge_standing(logits);
    look_pending = false;
    clock.leave_out_since(start);
    return better;
  }

  bool choose(const EvaluationMetrics& evaluated) {
    // Rank 0 decides: what ranks have summed could differ in its last bits.
    if (!choice.chooses() || !communicator.agree_any(is_root() && choice.is_better(evaluated))) return false;
    choice.take(evaluated);
    log.info("step {}: the best so far by {}", done, recipe.checkpoint.best);
    return true;
  }

  /// After the last step, what is due of the checkpoint that stands for the run.
  void judge_standing(const DueJudgement& due) {
    const int64_t step = best_step().value_or(done);
    if (step == done)
      return learner->with_averages([&] { judge->judge(learner->network(), done, true, due); });
    const std::string weights = text_from_root(communicator, [&] {
      writer->wait();
      return checkpoint_weights(files, find_best().folder, true);
    });
    const auto network = load_network(recipe, *task.train, {weights}, files);
    move_to(*network, placement.device);
    judge->judge(*network, step, true, due);
  }

  void save() {
    Checkpoint checkpoint = learner->snapshot(done);
    checkpoint.state.threads = placement.threads;
    checkpoint.state.seconds = clock.seconds();
    checkpoint.state.evaluation_pending = look_pending;
    checkpoint.state.windows = gather_windows(communicator, meter.window());
    checkpoint.state.best = choice.best();
    on_root(communicator, [&] {
      metrics->sync();  // the lines before a checkpoint are part of what it stands for
      writer->write(std::move(checkpoint));
    });
  }

  /// Whether a checkpoint could not be written, which rank 0 alone knows until the ranks agree.
  bool in_trouble() const { return writer && writer->has_failed(); }

  cluster::StopRequest heed(const StopAgreement::Answer& answer) {
    if (answer.trouble) on_root(communicator, [this] { writer->check(); });
    return answer.request;
  }

  /// What is due now that `done` steps are done. Whoever asks a run to stop may not wait for an evaluation:
  /// the checkpoint comes first then, and the run that goes on from it evaluates.
  cluster::StopRequest boundary(StopAgreement& agreement) {
    const bool last = done == total;
    const auto due = [&](int64_t every) { return last || (every > 0 && done % every == 0); };
    show_progress();  // before the loss of the window is written and gone
    if (due(recipe.train.log_every)) write_metrics();
    look_pending = due_judgement(recipe, done, total).any();
    bool better = false;
    auto request = heed(look_pending ? agreement.ask(in_trouble()) : agreement.at_boundary(in_trouble()));
    if (look_pending && request == cluster::StopRequest::none) {
      better = look();
      if (!last) request = heed(agreement.ask(in_trouble()));
    }
    if (due(recipe.checkpoint.every) || better || request != cluster::StopRequest::none) save();
    return request;
  }

  /// What a sitting needs while it lasts.
  struct Sitting {
    Sitting(cluster::Communicator& communicator, const cluster::StopSignal& stop,
            std::shared_ptr<const data::Dataset> train, const data::TrainingStreamOptions& how)
        : agreement(communicator, stop), stream(std::move(train), how) {}
    StopAgreement agreement;
    data::TrainingStream stream;
    cluster::StopRequest request = cluster::StopRequest::none;
  };
  std::unique_ptr<Sitting> sitting;  ///< null: there is nothing to do

  void begin(const cluster::StopSignal& stop) {
    shown = Clock::now();
    clock.begin(done);
    if (done >= total && !look_pending) {
      log.info("all {} steps are done already", total);
      return;
    }
    data::TrainingStreamOptions how;
    how.seed = recipe.train.seed;
    how.global_batch = batch_size(recipe);
    how.micro_batch = recipe.train.global_tokens > 0 ? recipe.train.micro_tokens : recipe.train.micro_batch;
    how.slice = {communicator.rank(), communicator.size()};
    how.workers =
        recipe.train.workers > 0 ? recipe.train.workers : data::loading_workers(*task.train, placement);
    how.first_step = done;
    how.draws = recipe.task.augment.draws;
    if (teaching) how.companion = teaching->replayed;
    how.device = placement.device;
    how.input_type = compute_type(recipe);
    sitting = std::make_unique<Sitting>(communicator, stop, task.train, how);
    if (done == 0) look_pending = due_judgement(recipe, 0, total).any();
    if (!look_pending) return;
    sitting->request = heed(sitting->agreement.ask(in_trouble()));
    if (sitting->request != cluster::StopRequest::none) return;
    if (look() || done == total) save();
  }

  bool advance() {
    if (!sitting || done >= total || sitting->request != cluster::StopRequest::none) return false;
    const auto start = Clock::now();
    double waited = 0;
    const auto next = [&] {
      const auto asked = Clock::now();
      auto micro = sitting->stream.next();
      waited += RunClock::seconds_since(asked);
      return micro;
    };
    learner->step(done, next, meter);
    clock.add_launching(RunClock::seconds_since(start) - waited);
    stream->keep_within(steps_ahead);
    ++done;
    sitting->request = boundary(sitting->agreement);
    return true;
  }

  /// What the run came to, for whoever asks without a checkpoint's help.
  void write_summary_of_run() {
    RunSummary summary = begun_summary(recipe, learner->network(), communicator, placement);
    summary.step = done;
    summary.seconds = clock.seconds();
    summary.samples_per_second = samples_in(done) / std::max(1e-9, summary.seconds);
    summary.evaluation = evaluation();
    if (choice.best()) summary.best = {choice.best()->metric, *best_step()};
    write_summary(files, folder.path(), summary);
  }

  /// Of a run that had ended before this sitting, and lost it or has one that cannot be read.
  void restore_summary() {
    try {
      if (read_summary(files, folder.path())) return;
    } catch (const DataError& error) {
      log.warning("{}; it is written anew", error.what());
    }
    const auto evaluations = read_metrics(files, folder.metrics()).evaluations;
    if (!evaluations.empty()) last_evaluation = evaluations.back();
    write_summary_of_run();
  }

  /// What the run is judged by.
  std::optional<EvaluationMetrics> evaluation() const {
    return choice.best() ? choice.best()->evaluation : last_evaluation;
  }

  RunOutcome end() {
    if (!sitting) {
      on_root(communicator, [this] { restore_summary(); });
      return RunOutcome::finished;
    }
    const cluster::StopRequest request = sitting->request;
    sitting.reset();
    data::settle_damaged(*task.train, communicator, log);
    on_root(communicator, [this, request] {
      writer->wait();
      metrics->sync();
      if (request == cluster::StopRequest::none) write_summary_of_run();
    });
    log.progress_done();
    if (request == cluster::StopRequest::none) {
      log.info("finished {} steps in {}{}", total, cluster::duration_text(clock.seconds()), best_text());
      return RunOutcome::finished;
    }
    log.info("stopped after step {} of {}; go on with --resume", done, total);
    return request == cluster::StopRequest::requeue ? RunOutcome::requeue : RunOutcome::stopped;
  }
};

TrainingRun::TrainingRun(const Recipe& recipe, const RunOptions& options, cluster::Communicator& communicator,
                         cluster::FileSystem& files, cluster::Log& log)
    : state_(std::make_unique<State>(recipe, options, communicator, files, log)) {}

TrainingRun::~TrainingRun() = default;

RunOutcome TrainingRun::train(const cluster::StopSignal& stop) {
  begin(stop);
  while (advance()) {
  }
  return end();
}

void TrainingRun::begin(const cluster::StopSignal& stop) {
  const State::Turn turn(*state_);
  state_->begin(stop);
}

bool TrainingRun::advance() {
  const State::Turn turn(*state_);
  return state_->advance();
}

RunOutcome TrainingRun::end() {
  const State::Turn turn(*state_);
  return state_->end();
}

int64_t TrainingRun::step() const {
  return state_->done;
}

int64_t TrainingRun::steps() const {
  return state_->total;
}

models::Network& TrainingRun::network() {
  return state_->learner->network();
}

std::optional<EvaluationMetrics> TrainingRun::evaluation() const {
  return state_->evaluation();
}

}  // namespace smoothlab::trainer
