#include "trainer/learner.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <map>

#include "cluster/error.h"
#include "cluster/gradient_reducer.h"
#include "trainer/flat_parameters.h"
#include "trainer/gradient_clip.h"
#include "trainer/optimizer.h"
#include "trainer/run_parts.h"
#include "trainer/schedule.h"
#include "trainer/soft_targets.h"
#include "trainer/weight_average.h"

namespace smoothlab::trainer {
namespace {

/// Tensors of a checkpoint's file by name.
class TensorsByName {
 public:
  TensorsByName(const models::TensorFile& file, std::string path) : path_(std::move(path)) {
    for (const auto& [name, tensor] : file.tensors) tensors_[name] = tensor;
  }

  void copy_to(const std::string& name, const at::Tensor& destination) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      throw DataError("tensor '" + name + "' is missing", path_, "use a checkpoint of this network");
    if (found->second.sizes() != destination.sizes())
      throw DataError(fmt::format("tensor '{}' has {} elements of another shape than the network's {}", name,
                                  found->second.numel(), destination.numel()),
                      path_, "use a checkpoint of this network");
    destination.copy_(found->second);
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
  std::string path_;
};

at::Tensor copy_on_cpu(const at::Tensor& tensor) {
  return tensor.device().is_cpu() ? tensor.clone() : tensor.to(at::kCPU);
}

c10::ScalarType compute_type(const Recipe& recipe) {
  return recipe.train.precision == "bf16" ? at::kBFloat16 : at::kFloat;
}

}  // namespace

void load_weights(const models::TensorFile& weights, models::Network& network, const std::string& path) {
  const at::NoGradGuard no_grad;
  const TensorsByName tensors(weights, path);
  for (auto& parameter : network.parameters()) tensors.copy_to(parameter.name, parameter.value);
  for (auto& buffer : network.buffers()) tensors.copy_to(buffer.name, buffer.value);
}

struct Learner::State {
  const Recipe recipe;
  cluster::Communicator& communicator;
  const cluster::Placement placement;
  const int64_t classes;
  const std::vector<bool> with_rows;
  std::unique_ptr<models::Network> network;
  FlatParameters parameters;
  std::unique_ptr<cluster::GradientReducer> reducer;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<WeightAverage> average;
  Schedule schedule;
  SoftTargets targets;
  at::Tensor loss_factor;  ///< what a row's loss is multiplied by
  bool settled = false;

  State(const Recipe& recipe_, const data::Dataset& train, int64_t steps,
        cluster::Communicator& communicator_, const cluster::Placement& placement_, const Checkpoint* resume)
      : recipe(recipe_),
        communicator(communicator_),
        placement(placement_),
        classes(train.classes()),
        with_rows(ranks_with_rows(recipe.train.global_batch, communicator.size())),
        network(make_network_of(recipe, train)),
        parameters(*network, compute_type(recipe), placement.device),
        schedule(recipe.schedule, steps),
        targets(make_soft_targets(recipe.targets, train.class_counts())) {
    cluster::ReducerOptions options;
    options.bucket_bytes = recipe.train.bucket_bytes;
    options.first_bucket_bytes = std::min(options.first_bucket_bytes, options.bucket_bytes);
    if (resume) options.order = order_from(resume->state.order);
    settled = !options.order.empty();
    reducer = std::make_unique<cluster::GradientReducer>(communicator, parameters.leaves(), options);
    parameters.adopt(reducer->layout());
    reducer->rebind(parameters.leaves());
    optimizer = make_optimizer(recipe.optimizer, parameters);
    if (recipe.train.ema > 0)
      average = std::make_unique<WeightAverage>(parameters, recipe.train.ema, recipe.train.ema_warmup);
    if (targets.base_per_class.defined())
      targets.base_per_class = targets.base_per_class.to(placement.device);
    // A row of this task is a sample, so a step has as many rows as the global batch has samples.
    loss_factor = at::full({}, recipe.train.loss_scale / static_cast<double>(recipe.train.global_batch),
                           at::TensorOptions().dtype(at::kFloat).device(placement.device));
    if (resume) restore(*resume);
  }

  std::vector<int64_t> order_from(const std::vector<std::string>& names) const {
    std::map<std::string, int64_t> index;
    for (const auto& parameter : network->parameters())
      index.emplace(parameter.name, static_cast<int64_t>(index.size()));
    std::vector<int64_t> order;
    for (const auto& name : names) {
      const auto found = index.find(name);
      if (found == index.end())
        throw DataError("the gradient order names '" + name + "', which the network does not have",
                        "state.json", "use a checkpoint of this network");
      order.push_back(found->second);
      index.erase(found);
    }
    if (!order.empty() && !index.empty())
      throw DataError("the gradient order does not name '" + index.begin()->first + "'", "state.json",
                      "use a checkpoint of this network");
    return order;
  }

  const std::string& name(int64_t parameter) const { return parameters.parameter(parameter).name; }

  void restore(const Checkpoint& checkpoint) {
    const at::NoGradGuard no_grad;
    const cluster::FlatLayout& layout = parameters.layout();
    const TensorsByName weights(checkpoint.weights, "weights.safetensors");
    const TensorsByName optimizer_state(checkpoint.optimizer, "optimizer.safetensors");
    const TensorsByName averages(checkpoint.average, "average.safetensors");
    for (int64_t i = 0; i < parameters.count(); ++i) {
      weights.copy_to(name(i), parameters.master_view(i));
      for (const auto& [state_name, flat] : optimizer->state())
        optimizer_state.copy_to(state_name + "/" + name(i), layout.view(flat, i));
      if (average) averages.copy_to(name(i), layout.view(average->average(), i));
    }
    parameters.refresh_working();
    // The rank's own running statistics where the checkpoint has them, else the mean over its ranks.
    const bool own = !checkpoint.ranks.empty();
    const TensorsByName of_rank(own ? checkpoint.ranks[0] : models::TensorFile{}, "ranks");
    for (const auto& [buffer, tensor] : buffers_of(*network))
      own ? of_rank.copy_to(buffer, tensor) : weights.copy_to(buffer, tensor);
    if (average) {
      for (const auto& [buffer, tensor] : average->buffer_averages())
        own ? of_rank.copy_to("average/" + buffer, tensor) : averages.copy_to(buffer, tensor);
      average->set_updates(checkpoint.state.average_updates);
    }
    optimizer->set_steps_taken(checkpoint.state.optimizer_steps);
  }

  at::Tensor on_device(const at::Tensor& input) const {
    const auto type = input.is_floating_point() ? compute_type(recipe) : input.scalar_type();
    return input.to(placement.device, type, /*non_blocking=*/true);
  }

  void backward(const data::MicroBatch& micro, int64_t step, LossMeter& meter) {
    const data::Batch& batch = micro.batch;
    std::vector<at::Tensor> inputs;
    for (const auto& input : batch.inputs) inputs.push_back(on_device(input));
    models::ForwardContext context;
    context.training = true;
    context.seed = recipe.train.seed;
    context.step = step;
    context.sample_ids = batch.sample_ids;
    const at::Tensor true_labels = batch.labels.to(placement.device);
    at::Tensor labels = true_labels;
    if (recipe.targets.disturb_label > 0)
      labels = disturb_labels(batch.labels, batch.sample_ids, batch.positions, classes,
                              recipe.targets.disturb_label, recipe.train.seed, step)
                   .to(placement.device);
    const models::Rows rows = network->forward(inputs, context);
    const at::Tensor loss = soft_target_loss(rows.logits, labels, targets);
    meter.add(loss, rows.logits, true_labels, batch.sample_ids, step);
    if (placement.device.is_cpu()) meter.settle();
    torch::autograd::backward({loss}, {loss_factor});
  }

  void add_named(models::TensorFile& file, const std::string& prefix, const at::Tensor& flat) const {
    for (int64_t i = 0; i < parameters.count(); ++i)
      file.tensors.emplace_back(prefix + name(i), parameters.layout().view(flat, i));
  }

  std::map<std::string, std::string> metadata(int64_t step) const {
    return {{"format", "pt"},
            {"network", recipe.model.name},
            {"classes", std::to_string(classes)},
            {"alpha", fmt::format("{}", recipe.targets.alpha)},
            {"convention", recipe.targets.convention},
            {"step", std::to_string(step)},
            {"recipe_hash", recipe_hash(recipe)}};
  }
};

Learner::Learner(const Recipe& recipe, const data::Dataset& train, int64_t total_steps,
                 cluster::Communicator& communicator, const cluster::Placement& placement,
                 const Checkpoint* resume)
    : state_(std::make_unique<State>(recipe, train, total_steps, communicator, placement, resume)) {}

Learner::~Learner() = default;

void Learner::step(int64_t step, const std::function<data::MicroBatch()>& next, LossMeter& meter) {
  State& s = *state_;
  for (bool last = false; !last;) {
    const data::MicroBatch micro = next();
    last = micro.last;
    s.reducer->begin(last);
    if (micro.batch.rows() > 0) s.backward(micro, step, meter);
  }
  s.reducer->finish();
  if (!s.settled) {
    s.settled = true;
    if (s.reducer->settle()) {
      s.parameters.adopt(s.reducer->layout());
      s.reducer->rebind(s.parameters.leaves());
      s.optimizer->adopt_layout();
      if (s.average) s.average->adopt_layout();
    }
  }
  s.optimizer->step(s.reducer->gradients(), s.schedule.factor(step));
  if (s.average) s.average->update();
}

double Learner::gradient_norm() const {
  const at::NoGradGuard no_grad;
  const at::Tensor& clipped = state_->optimizer->gradient_norm();
  return (clipped.defined() ? clipped : global_norm(state_->reducer->gradients())).item<double>();
}

double Learner::learning_rate(int64_t step) const {
  return state_->recipe.optimizer.lr * state_->schedule.factor(step);
}

Checkpoint Learner::snapshot(int64_t step) const {
  const at::NoGradGuard no_grad;
  const State& s = *state_;
  if (!at::isfinite(s.parameters.master().sum()).item<bool>())
    throw RunError(
        fmt::format("the weights are not finite after step {}", step), "the network",
        "lower optimizer.lr, lengthen schedule.warmup or set optimizer.clip_norm, and go on from the "
        "last checkpoint with --resume");
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

  checkpoint.recipe = resolved_recipe(s.recipe);
  checkpoint.weights.metadata = s.metadata(step);
  s.add_named(checkpoint.weights, "", copy_on_cpu(s.parameters.master()));
  for (auto& entry : named_slices(mean_statistics(all_buffers, s.with_rows), buffers))
    checkpoint.weights.tensors.push_back(std::move(entry));
  checkpoint.optimizer.metadata = {{"optimizer", s.recipe.optimizer.name}, {"step", std::to_string(step)}};
  for (const auto& [state_name, flat] : s.optimizer->state())
    s.add_named(checkpoint.optimizer, state_name + "/", copy_on_cpu(flat));
  if (s.average) {
    checkpoint.average.metadata = s.metadata(step);
    s.add_named(checkpoint.average, "", copy_on_cpu(s.average->average()));
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
  int64_t total =
      bytes(s.parameters.master()) + bytes(s.parameters.working()) + bytes(s.reducer->gradients());
  for (const auto& entry : s.optimizer->state()) total += bytes(entry.second);
  if (s.average) total += bytes(s.average->average());
  return total;
}

}  // namespace smoothlab::trainer
