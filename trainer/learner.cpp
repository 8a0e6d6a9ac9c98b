#include "trainer/learner.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <deque>
#include <map>

#include "cluster/error.h"
#include "cluster/gradient_reducer.h"
#include "cluster/side_stream.h"
#include "models/weights.h"
#include "trainer/captured_step.h"
#include "trainer/classifier_loss.h"
#include "trainer/distillation_loss.h"
#include "trainer/flat_parameters.h"
#include "trainer/gradient_clip.h"
#include "trainer/optimizer.h"
#include "trainer/run_parts.h"
#include "trainer/schedule.h"
#include "trainer/soft_targets.h"
#include "trainer/weight_average.h"

namespace smoothlab::trainer {
namespace {

at::Tensor copy_on_cpu(const at::Tensor& tensor) {
  return tensor.device().is_cpu() ? tensor.clone() : tensor.to(at::kCPU);
}

/// Steps that are launched before one is captured: the first settles the order of gradients, and libraries
/// choose their algorithms.
constexpr int launches_before_capture = 3;

bool wants_capture(const Recipe& recipe, const cluster::Placement& placement) {
  return recipe.train.capture == "always" || (recipe.train.capture == "auto" && placement.device.is_cuda());
}

/// A micro-batch where the network computes.
struct StagedBatch {
  std::vector<at::Tensor> inputs;
  at::Tensor labels;   ///< what the batch says
  at::Tensor targets;  ///< what is learnt: the same, or disturbed
  at::Tensor teacher;  ///< logits of a teacher that is replayed; else undefined
};

/// The class that never is a target; -1: there is none.
int64_t padding_class(const data::Dataset& dataset) {
  return dataset.vocabularies() ? dataset.vocabularies()->target.special.padding : -1;
}

/// Rows of every sample where all have equally many and batches equally many samples, else 0.
int64_t rows_per_sample(const data::Dataset& dataset, const Recipe& recipe) {
  if (recipe.train.global_tokens > 0) return 0;
  const int64_t rows = dataset.size() > 0 ? dataset.rows(0) : 1;
  for (int64_t sample = 1; sample < dataset.size(); ++sample)
    if (dataset.rows(sample) != rows) return 0;
  return rows;
}

}  // namespace

struct Learner::State {
  const Recipe recipe;
  cluster::Communicator& communicator;
  const cluster::Placement placement;
  const data::Dataset& train;
  const int64_t classes;
  const std::vector<bool> with_rows;
  const std::map<std::string, std::string> about_network;  ///< for weights files
  std::unique_ptr<models::Network> network;
  FlatParameters parameters;
  std::unique_ptr<cluster::GradientReducer> reducer;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<WeightAverage> average;
  Schedule schedule;
  SoftTargets targets;
  const TeacherNetwork* const teacher;
  const int64_t sample_rows;  ///< rows of each sample; 0: they differ
  at::Tensor loss_factor;     ///< what a row's loss is multiplied by
  bool settled = false;
  const bool repeatable;  ///< whether one captured step can stand for all
  int launched = 0;       ///< steps of this sitting that were launched kernel by kernel
  std::unique_ptr<CapturedStep> captured;
  std::vector<StagedBatch> fixed;  ///< where the captured step finds its micro-batches

  State(const Recipe& recipe_, const data::Dataset& train_, int64_t steps,
        cluster::Communicator& communicator_, const cluster::Placement& placement_,
        const TeacherNetwork* teacher_, const Checkpoint* resume)
      : recipe(recipe_),
        communicator(communicator_),
        placement(placement_),
        train(train_),
        classes(train.classes()),
        with_rows(
            ranks_with_rows(recipe.train.global_tokens > 0 ? communicator.size() : recipe.train.global_batch,
                            communicator.size())),
        about_network(models::weights_metadata(network_options(recipe, train))),
        network(make_network_of(recipe, train)),
        parameters(*network, compute_type(recipe), placement.device),
        schedule(recipe.schedule, steps,
                 recipe.schedule.unit == "epochs" ? batch_order(recipe, train) : nullptr),
        targets(recipe.places.locate(
            [&] { return make_soft_targets(recipe.targets, train.class_counts(), padding_class(train)); })),
        teacher(teacher_),
        sample_rows(rows_per_sample(train, recipe)),
        // What text is made of changes its shape from step to step.
        repeatable(wants_capture(recipe, placement) && !train.vocabularies() && recipe.model.dropout == 0 &&
                   recipe.model.input_dropout == 0 && recipe.train.global_batch >= communicator.size()),
        captured(make_captured_step(placement.device)) {
    cluster::ReducerOptions options;
    options.bucket_bytes = recipe.train.bucket_bytes;
    options.first_bucket_bytes = std::min(options.first_bucket_bytes, options.bucket_bytes);
    options.bfloat16 = recipe.train.allreduce == "bf16";
    if (resume) options.order = order_from(resume->state.order, resume->folder + "/state.json");
    settled = !options.order.empty();
    reducer = std::make_unique<cluster::GradientReducer>(communicator, parameters.leaves(), options);
    parameters.adopt(reducer->layout());
    reducer->rebind(parameters.leaves());
    optimizer = recipe.places.locate([&] { return make_optimizer(recipe.optimizer, parameters); });
    if (recipe.train.ema > 0)
      average = std::make_unique<WeightAverage>(parameters, recipe.train.ema, recipe.train.ema_warmup);
    if (targets.base_per_class.defined())
      targets.base_per_class = targets.base_per_class.to(placement.device);
    if (sample_rows > 0) set_rows(sample_rows * recipe.train.global_batch);
    if (resume) restore(*resume);
  }

  /// Rows of the global batch, over which the loss is the mean.
  void set_rows(int64_t rows) {
    loss_factor = at::full({}, recipe.train.loss_scale / static_cast<double>(rows),
                           at::TensorOptions().dtype(at::kFloat).device(placement.device));
  }

  int64_t rows_of_all_ranks(int64_t own) const {
    const at::Tensor sum = at::full({1}, own, at::kLong);
    communicator.allreduce(sum, cluster::Reduction::sum);
    return sum.item<int64_t>();
  }

  std::vector<int64_t> order_from(const std::vector<std::string>& names, const std::string& where) const {
    std::map<std::string, int64_t> index;
    for (const auto& parameter : network->parameters())
      index.emplace(parameter.name, static_cast<int64_t>(index.size()));
    std::vector<int64_t> order;
    for (const auto& name : names) {
      const auto found = index.find(name);
      if (found == index.end())
        throw DataError("the gradient order names '" + name + "', which the network does not have", where,
                        "use a checkpoint of this network");
      order.push_back(found->second);
      index.erase(found);
    }
    if (!order.empty() && !index.empty())
      throw DataError("the gradient order does not name '" + index.begin()->first + "'", where,
                      "use a checkpoint of this network");
    return order;
  }

  const std::string& name(int64_t parameter) const { return parameters.parameter(parameter).name; }

  /// Parameters' slices of a flat tensor, by name.
  models::NamedTensors named_views(const std::string& prefix, const at::Tensor& flat) const {
    models::NamedTensors views;
    for (int64_t i = 0; i < parameters.count(); ++i)
      views.emplace_back(prefix + name(i), parameters.layout().view(flat, i));
    return views;
  }

  void restore(const Checkpoint& checkpoint) {
    const auto where = [&](const char* file) { return checkpoint.folder + "/" + file; };
    const NamedTensors buffers = buffers_of(*network);
    // Running statistics: the mean over ranks first, which a rank's own replace where the checkpoint has
    // them.
    NamedTensors weights = named_views("", parameters.master()), own = buffers;
    weights.insert(weights.end(), buffers.begin(), buffers.end());
    models::check_metadata(about_network, checkpoint.weights, where("weights.safetensors"));
    const std::string& samples = checkpoint.state.samples;
    if (!samples.empty() && samples != train.fingerprint())
      throw DataError("the run was trained on other samples (SHA-256 " + samples + ", these have " +
                          train.fingerprint() + ")",
                      where("state.json"),
                      "bring back the data that it was trained on, or start another run");
    models::fill_tensors(weights, checkpoint.weights, where("weights.safetensors"));
    NamedTensors states;
    for (const auto& [state_name, flat] : optimizer->state())
      for (auto& view : named_views(state_name + "/", flat)) states.push_back(std::move(view));
    models::fill_tensors(states, checkpoint.optimizer, where("optimizer.safetensors"));
    if (average) {
      NamedTensors averages = named_views("", average->average());
      for (const auto& [buffer, tensor] : average->buffer_averages()) {
        averages.emplace_back(buffer, tensor);
        own.emplace_back("average/" + buffer, tensor);
      }
      models::fill_tensors(averages, checkpoint.average, where("average.safetensors"));
      average->set_updates(checkpoint.state.average_updates);
    }
    if (!checkpoint.ranks.empty())
      models::fill_tensors(own, checkpoint.ranks[0],
                           where(fmt::format("ranks/rank-{}.safetensors", communicator.rank()).c_str()));
    parameters.refresh_working();
    optimizer->set_steps_taken(checkpoint.state.optimizer_steps);
  }

  at::Tensor on_device(const at::Tensor& input) const {
    const auto type = input.is_floating_point() ? compute_type(recipe) : input.scalar_type();
    return input.to(placement.device, type, /*non_blocking=*/true);
  }

  StagedBatch stage(const data::Batch& batch, int64_t step) const {
    StagedBatch staged;
    for (const auto& input : batch.inputs) staged.inputs.push_back(on_device(input));
    staged.labels = staged.targets = batch.labels_with_inputs().to(placement.device);
    if (recipe.targets.disturb_label > 0)
      staged.targets =
          cluster::upload(disturb_labels(batch.labels, batch.sample_ids, batch.positions, classes,
                                         recipe.targets.disturb_label, recipe.train.seed, step),
                          placement.device);
    staged.teacher = batch.companion;
    return staged;
  }

  /// Of targets and teacher together, summed over rows.
  at::Tensor loss_of_rows(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& taught) {
    if (!taught.defined()) return soft_target_loss(logits, labels, targets);
    const TeacherOptions& how = recipe.teacher;
    const at::Tensor of_teacher =
        how.beta * distillation_loss(logits, taught, distillation_kind(how.loss), how.temperature);
    return how.beta == 1 ? of_teacher
                         : of_teacher + (1 - how.beta) * soft_target_loss(logits, labels, targets);
  }

  at::Tensor loss_of(const StagedBatch& batch, const models::ForwardContext& context, LossMeter& meter) {
    const at::Tensor taught = teacher ? teacher->logits(batch.inputs) : batch.teacher;
    const models::Rows rows = network->forward(batch.inputs, context);
    if (!rows.logits.defined()) {
      const ClassifierLoss both =
          classifier_loss(rows.penultimate, network->classifier().weight, batch.targets, targets);
      meter.accumulate(both.loss, both.hits);
      return both.loss;
    }
    at::Tensor loss = loss_of_rows(rows.logits, batch.targets, taught);
    meter.accumulate(loss, rows.logits, batch.labels);
    if (!rows.auxiliary_logits.defined()) return loss;
    return loss + rows.auxiliary_weight * loss_of_rows(rows.auxiliary_logits, batch.targets, taught);
  }

  void backward(const at::Tensor& loss) { torch::autograd::backward({loss}, {loss_factor}); }

  void launch(const data::MicroBatch& micro, int64_t step, LossMeter& meter) {
    models::ForwardContext context;
    context.training = true;
    context.seed = recipe.train.seed;
    context.step = step;
    context.sample_ids = micro.batch.sample_ids;
    context.features_only = recipe.teacher.loss == "none" && recipe.targets.disturb_label == 0;
    meter.note(micro.batch.sample_ids, step);
    const at::Tensor loss = loss_of(stage(micro.batch, step), context, meter);
    if (placement.device.is_cpu()) meter.settle();  // before anything changes
    backward(loss);
  }

  void settle_once() {
    if (settled) return;
    settled = true;
    if (!reducer->settle()) return;
    parameters.adopt(reducer->layout());
    reducer->rebind(parameters.leaves());
    optimizer->adopt_layout();
    if (average) average->adopt_layout();
  }

  /// Of an update, what changes with the step and what does not.
  void begin_update(int64_t step) {
    optimizer->begin_step(schedule.factor(step));
    if (average) average->begin_update();
  }
  void apply_update() {
    optimizer->apply(reducer->gradients());
    if (average) average->apply();
  }

  void launch_step(int64_t step, const std::function<data::MicroBatch()>& next, LossMeter& meter) {
    for (bool last = false; !last;) {
      const data::MicroBatch micro = next();
      last = micro.last;
      reducer->begin(last);
      if (micro.batch.rows() > 0) launch(micro, step, meter);
    }
    reducer->finish();
    settle_once();
    begin_update(step);
    apply_update();
  }

  void repeat_step(int64_t step, const std::function<data::MicroBatch()>& next, LossMeter& meter) {
    size_t place = 0;
    for (bool last = false; !last; ++place) {
      const data::MicroBatch micro = next();
      last = micro.last;
      meter.note(micro.batch.sample_ids, step);
      put(stage(micro.batch, step), place);
    }
    begin_update(step);
    if (!captured->recorded())
      captured->record([this, &meter] {
        models::ForwardContext context;
        context.training = true;
        for (const StagedBatch& batch : fixed) {
          reducer->begin(&batch == &fixed.back());
          backward(loss_of(batch, context, meter));
        }
        reducer->finish();
        apply_update();
      });
    captured->repeat();
    if (placement.device.is_cpu()) meter.settle();
    communicator.note_repeated("captured step");
  }

  /// Brings a micro-batch to where the captured step finds it.
  void put(StagedBatch batch, size_t place) {
    if (place == fixed.size()) {
      for (auto& input : batch.inputs) input = input.clone(at::MemoryFormat::Preserve);
      batch.labels = batch.labels.clone();
      batch.targets = batch.targets.clone();
      if (batch.teacher.defined()) batch.teacher = batch.teacher.clone();
      fixed.push_back(std::move(batch));
      return;
    }
    for (size_t i = 0; i < batch.inputs.size(); ++i) fixed[place].inputs[i].copy_(batch.inputs[i]);
    fixed[place].labels.copy_(batch.labels);
    fixed[place].targets.copy_(batch.targets);
    if (batch.teacher.defined()) fixed[place].teacher.copy_(batch.teacher);
  }

  std::map<std::string, std::string> metadata(int64_t step) const {
    std::map<std::string, std::string> all = about_network;
    all["alpha"] = fmt::format("{}", recipe.targets.alpha);
    all["convention"] = recipe.targets.convention;
    all["step"] = std::to_string(step);
    all["recipe_hash"] = recipe_hash(recipe);
    return all;
  }
};

Learner::Learner(const Recipe& recipe, const data::Dataset& train, int64_t total_steps,
                 cluster::Communicator& communicator, const cluster::Placement& placement,
                 const TeacherNetwork* teacher, const Checkpoint* resume)
    : state_(std::make_unique<State>(recipe, train, total_steps, communicator, placement, teacher, resume)) {}

Learner::~Learner() = default;

void Learner::step(int64_t step, const std::function<data::MicroBatch()>& next, LossMeter& meter) {
  State& s = *state_;
  // Where samples differ in rows, the step's must be counted over all ranks before the first backward pass.
  std::deque<data::MicroBatch> counted;
  if (s.sample_rows == 0) {
    int64_t rows = 0;
    for (bool last = false; !last; last = counted.back().last) {
      counted.push_back(next());
      rows += counted.back().batch.rows();
    }
    s.set_rows(s.rows_of_all_ranks(rows));
  }
  const auto take = [&] {
    if (counted.empty()) return next();
    data::MicroBatch micro = std::move(counted.front());
    counted.pop_front();
    return micro;
  };
  if (s.repeatable && s.launched >= launches_before_capture) return s.repeat_step(step, take, meter);
  ++s.launched;
  s.launch_step(step, take, meter);
}

double Learner::gradient_norm() const {
  const c10::NoGradGuard no_grad;
  const at::Tensor& clipped = state_->optimizer->gradient_norm();
  return (clipped.defined() ? clipped : global_norm(state_->reducer->gradients())).item<double>();
}

double Learner::learning_rate(int64_t step) const {
  return state_->recipe.optimizer.lr * state_->schedule.factor(step);
}

Checkpoint Learner::snapshot(int64_t step) const {
  const c10::NoGradGuard no_grad;
  const State& s = *state_;
  if (!at::isfinite(s.parameters.master().sum()).item<bool>())
    throw RunError(
        fmt::format("the weights are not finite after step {}", step), "the network",
        "start another run with a lower optimizer.lr, a longer schedule.warmup or optimizer.clip_norm");
  const NamedTensors buffers = buffers_of(*s.network);
  const NamedTensors averages = s.average ? s.average->buffer_averages() : NamedTensors{};
  const at::Tensor all_buffers = gather_statistics(s.communicator, buffers);
  const at::Tensor all_averages = gather_statistics(s.communicator, averages);

  Checkpoint checkpoint;
  TrainingState& state = checkpoint.state;
  state.step = step;
  state.ranks = s.communicator.size();
  state.seed = s.recipe.train.seed;
  state.global_batch = s.recipe.train.global_batch;
  state.optimizer_steps = s.optimizer->steps_taken();
  state.average_updates = s.average ? s.average->updates() : 0;
  if (s.settled)
    for (const int64_t index : s.parameters.layout().order()) state.order.push_back(s.name(index));
  if (!s.communicator.is_root()) return checkpoint;

  state.samples = s.train.fingerprint();
  checkpoint.recipe = resolved_recipe(s.recipe);
  checkpoint.weights.metadata = s.metadata(step);
  checkpoint.weights.tensors = s.named_views("", copy_on_cpu(s.parameters.master()));
  for (auto& entry : named_slices(mean_statistics(all_buffers, s.with_rows), buffers))
    checkpoint.weights.tensors.push_back(std::move(entry));
  checkpoint.optimizer.metadata = {{"optimizer", s.recipe.optimizer.name}, {"step", std::to_string(step)}};
  for (const auto& [state_name, flat] : s.optimizer->state())
    for (auto& view : s.named_views(state_name + "/", copy_on_cpu(flat)))
      checkpoint.optimizer.tensors.push_back(std::move(view));
  if (s.average) {
    checkpoint.average.metadata = s.metadata(step);
    checkpoint.average.tensors = s.named_views("", copy_on_cpu(s.average->average()));
    for (auto& entry : named_slices(mean_statistics(all_averages, s.with_rows), averages))
      checkpoint.average.tensors.push_back(std::move(entry));
  }
  if (s.communicator.size() > 1 && !buffers.empty()) {
    for (int64_t rank = 0; rank < s.communicator.size(); ++rank) {
      models::TensorFile own;
      own.metadata = {{"rank", std::to_string(rank)}, {"step", std::to_string(step)}};
      own.tensors = named_slices(all_buffers[rank], buffers);
      for (auto& [name, tensor] : named_slices(all_averages[rank], averages))
        own.tensors.emplace_back("average/" + name, tensor);
      checkpoint.ranks.push_back(std::move(own));
    }
  }
  return checkpoint;
}

void Learner::with_averages(const std::function<void()>& work) {
  const AveragedWeights averaged(state_->average.get());
  const MeanStatistics mean(state_->communicator, *state_->network, state_->with_rows);
  work();
}

models::Network& Learner::network() {
  return *state_->network;
}

int64_t Learner::state_bytes() const {
  const State& s = *state_;
  const auto bytes = [](const at::Tensor& tensor) {
    return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : int64_t{0};
  };
  int64_t total = bytes(s.parameters.master()) + bytes(s.parameters.working()) + s.reducer->bytes();
  for (const auto& entry : s.optimizer->state()) total += bytes(entry.second);
  if (s.average) total += bytes(s.average->average());
  return total;
}

}  // namespace smoothlab::trainer
