#include "cluster/gradient_reducer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "cluster/arrival_hooks.h"
#include "cluster/bucket_plan.h"
#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/torch_compat.h"

namespace smoothlab::cluster {
namespace {

/// The last leaves that forward uses get their gradients first.
std::vector<int64_t> backward_order(int64_t leaves) {
  std::vector<int64_t> order(leaves);
  std::iota(order.rbegin(), order.rend(), int64_t{0});
  return order;
}

/// view += gradient in one pass; ATen's add would make a float32 copy of the gradient first.
void add_bfloat16(const at::Tensor& view, const at::Tensor& gradient) {
  float* sum = view.data_ptr<float>();
  const auto* term = gradient.data_ptr<at::BFloat16>();
  const int64_t size = view.numel();
  at::parallel_for(0, size, 1 << 15, [sum, term](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum[i] += static_cast<float>(term[i]);
  });
}

void add_gradient(const at::Tensor& view, const at::Tensor& gradient) {
  if (gradient.scalar_type() == at::kBFloat16 && gradient.device().is_cpu() &&
      gradient.strides() == view.strides())
    add_bfloat16(view, gradient);
  else
    view.add_(gradient);
}

/// Ranks that resumed from different checkpoints would add up gradients of different leaves, and ranks whose
/// memory formats differ gradients of different elements.
void require_same_on_all_ranks(Communicator& communicator, const FlatLayout& layout, const BucketPlan& plan,
                               const std::vector<at::Tensor>& leaves) {
  std::vector<int64_t> facts = layout.order();
  for (int64_t tensor = 0; tensor < layout.tensors(); ++tensor) facts.push_back(layout.offset(tensor));
  for (const Bucket& bucket : plan.buckets) facts.push_back(bucket.end);
  for (const at::Tensor& leaf : leaves)
    for (int64_t d = 0; d < leaf.dim(); ++d) facts.insert(facts.end(), {leaf.size(d), leaf.stride(d)});
  const int64_t own = checksum(facts.data(), facts.size() * sizeof(int64_t));
  const at::Tensor all = communicator.allgather(at::full({1}, own, at::kLong));
  for (int64_t rank = 0; rank < all.numel(); ++rank)
    if (all[rank].item<int64_t>() != own)
      throw RunError("ranks disagree about the order, sizes or strides of gradients",
                     "ranks " + std::to_string(communicator.rank()) + " and " + std::to_string(rank),
                     "start all ranks with the same recipe, program and checkpoint");
}

}  // namespace

struct GradientReducer::State {
  State(Communicator& c, std::vector<at::Tensor> l, const ReducerOptions& o)
      : communicator(c),
        options(o),
        leaves(std::move(l)),
        order_is_final(!o.order.empty()),
        filled(leaves.size()),
        arrived(leaves.size()) {
    take_order(order_is_final ? options.order : backward_order(static_cast<int64_t>(leaves.size())));
    require_same_on_all_ranks(communicator, layout, plan, leaves);
    hooks = std::make_unique<ArrivalHooks>(leaves, [this](int64_t leaf) { on_arrival(leaf); });
  }

  void take_order(std::vector<int64_t> order) {
    layout = FlatLayout(leaves, std::move(order));
    plan = plan_buckets(layout, options.first_bucket_bytes, options.bucket_bytes);
    const auto device = leaves.empty() ? at::Device(at::kCPU) : leaves[0].device();
    flat = at::zeros({layout.total()}, at::TensorOptions().dtype(at::kFloat).device(device));
    if (options.bfloat16 && communicator.size() > 1) rounded = at::zeros_like(flat, at::kBFloat16);
    views.clear();
    for (int64_t leaf = 0; leaf < layout.tensors(); ++leaf) views.push_back(layout.view(flat, leaf));
  }

  bool is_float32(int64_t leaf) const { return leaves[leaf].scalar_type() == at::kFloat; }

  void on_arrival(int64_t leaf) {
    if (!in_step)
      throw RunError("backward outside of a step", "gradient reduction", "call begin() before backward");
    if (arrived[leaf])
      throw RunError("a second backward in one micro-batch", "gradient reduction",
                     "call begin() before each backward");
    arrived[leaf] = true;
    take_gradient(leaf);
    if (!last_micro_batch) return;
    arrivals.push_back(leaf);
    --missing[plan.bucket_of[leaf]];
    // A bucket may be complete before an earlier one; all ranks send them in the order of the plan.
    while (sent() < plan.buckets.size() && missing[sent()] == 0) send_next();
  }

  void take_gradient(int64_t leaf) {
    const c10::NoGradGuard no_grad;
    at::Tensor& gradient = leaves[leaf].mutable_grad();
    if (!gradient.defined()) {  // backward came by with nothing, which counts as zero
      if (!filled[leaf]) views[leaf].zero_();
    } else if (!filled[leaf] && (options.copy_together || gradient.is_cuda())) {
      to_copy.push_back(leaf);
      copies.push_back(gradient);
      waiting_bytes += static_cast<int64_t>(gradient.nbytes());
      if (waiting_bytes >= options.bucket_bytes) copy_together();
    } else if (!filled[leaf]) {
      views[leaf].copy_(gradient);
    } else if (gradient.data_ptr() != views[leaf].data_ptr()) {
      add_gradient(views[leaf], gradient);
    }
    filled[leaf] = true;
    // From here on a float32 gradient is the view, to which the next micro-batch adds in place.
    gradient = is_float32(leaf) ? views[leaf] : at::Tensor();
  }

  /// A launch for each of a hundred small gradients would take longer than their sums: they go together.
  void copy_together() {
    if (to_copy.empty()) return;
    const c10::NoGradGuard no_grad;
    std::map<at::ScalarType, std::pair<std::vector<at::Tensor>, std::vector<at::Tensor>>> by_type;
    for (size_t i = 0; i < copies.size(); ++i) {
      auto& [to, from] = by_type[copies[i].scalar_type()];
      to.push_back(views[to_copy[i]]);
      from.push_back(copies[i]);
    }
    for (const auto& [type, lists] : by_type) copy_all(lists.first, lists.second);
    to_copy.clear();
    copies.clear();
    waiting_bytes = 0;
  }

  size_t sent() const { return under_way.size(); }

  static at::Tensor part(const at::Tensor& whole, const Bucket& bucket) {
    return whole.narrow(0, bucket.begin, bucket.end - bucket.begin);
  }

  void send_next() {
    copy_together();
    const c10::NoGradGuard no_grad;
    const Bucket& bucket = plan.buckets[sent()];
    if (rounded.defined()) part(rounded, bucket).copy_(part(flat, bucket));
    under_way.push_back(
        communicator.allreduce_async(part(rounded.defined() ? rounded : flat, bucket), Reduction::sum));
  }

  void receive_all() {
    const c10::NoGradGuard no_grad;
    for (size_t bucket = 0; bucket < sent(); ++bucket) {
      under_way[bucket]->wait();
      if (rounded.defined()) part(flat, plan.buckets[bucket]).copy_(part(rounded, plan.buckets[bucket]));
    }
    under_way.clear();
  }

  /// A leaf without a gradient counts as zero; its view still holds the last step's.
  void zero_unfilled() {
    if (std::none_of(filled.begin(), filled.end(), [](bool f) { return f; })) {
      flat.zero_();
    } else {
      for (size_t leaf = 0; leaf < leaves.size(); ++leaf)
        if (!filled[leaf]) views[leaf].zero_();
    }
  }

  void bind_gradients() {
    for (int64_t leaf = 0; leaf < layout.tensors(); ++leaf)
      if (is_float32(leaf)) leaves[leaf].mutable_grad() = views[leaf];
  }

  void release_gradients() {
    for (at::Tensor& leaf : leaves) leaf.mutable_grad() = at::Tensor();
  }

  Communicator& communicator;
  const ReducerOptions options;
  std::vector<at::Tensor> leaves;
  bool order_is_final;

  FlatLayout layout;
  BucketPlan plan;
  at::Tensor flat;
  at::Tensor rounded;  ///< what the ranks exchange in its place; undefined: flat itself
  std::vector<at::Tensor> views;
  std::unique_ptr<ArrivalHooks> hooks;

  bool in_step = false, last_micro_batch = false, has_finished = false;
  std::vector<int64_t> to_copy;    ///< leaves whose gradients have arrived and wait
  std::vector<at::Tensor> copies;  ///< for copy_together(): those gradients
  int64_t waiting_bytes = 0;       ///< of them
  std::vector<bool> filled;        ///< by leaf: its view holds a gradient of this step
  std::vector<bool> arrived;       ///< by leaf: in this micro-batch
  std::vector<int64_t> arrivals;
  std::vector<int64_t> missing;  ///< by bucket: gradients that the last micro-batch still owes
  std::vector<std::unique_ptr<PendingCollective>> under_way;
};

GradientReducer::GradientReducer(Communicator& communicator, std::vector<at::Tensor> leaves,
                                 const ReducerOptions& options)
    : state_(std::make_unique<State>(communicator, std::move(leaves), options)) {}

GradientReducer::~GradientReducer() = default;

const FlatLayout& GradientReducer::layout() const {
  return state_->layout;
}

at::Tensor GradientReducer::gradients() const {
  return state_->flat;
}

int64_t GradientReducer::bytes() const {
  const auto rounded = state_->rounded.defined() ? state_->rounded.nbytes() : size_t{0};
  return static_cast<int64_t>(state_->flat.nbytes() + rounded);
}

void GradientReducer::begin(bool last_micro_batch) {
  State& s = *state_;
  s.copy_together();  // before the next backward adds to them
  if (!s.in_step) {
    s.filled.assign(s.leaves.size(), false);
    s.release_gradients();
  }
  s.in_step = true;
  s.last_micro_batch = last_micro_batch;
  s.arrived.assign(s.leaves.size(), false);
  s.arrivals.clear();
  s.missing.clear();
  for (const Bucket& bucket : s.plan.buckets) s.missing.push_back(bucket.tensors);
}

void GradientReducer::finish() {
  State& s = *state_;
  if (!s.in_step || !s.last_micro_batch)
    throw RunError("a step finished before its last micro-batch", "gradient reduction",
                   "call begin(true) before the last backward");
  s.zero_unfilled();
  s.copy_together();
  while (s.sent() < s.plan.buckets.size()) s.send_next();
  s.receive_all();
  s.bind_gradients();
  s.in_step = s.last_micro_batch = false;
  s.has_finished = true;
}

bool GradientReducer::settle() {
  State& s = *state_;
  if (s.order_is_final || !s.has_finished || s.in_step) return false;
  std::vector<int64_t> order = s.arrivals;
  std::vector<bool> placed(s.leaves.size(), false);
  for (const int64_t leaf : order) placed[leaf] = true;
  for (const int64_t leaf : s.layout.order())
    if (!placed[leaf]) order.push_back(leaf);
  const at::Tensor agreed = at::tensor(order, at::kLong);
  if (agreed.numel() > 0) s.communicator.broadcast(agreed, 0);
  order.assign(agreed.data_ptr<int64_t>(), agreed.data_ptr<int64_t>() + agreed.numel());

  const std::vector<at::Tensor> old_views = s.views;
  s.take_order(std::move(order));
  for (size_t leaf = 0; leaf < old_views.size(); ++leaf) s.views[leaf].copy_(old_views[leaf]);
  s.bind_gradients();
  s.order_is_final = true;
  return true;
}

void GradientReducer::rebind(std::vector<at::Tensor> leaves) {
  State& s = *state_;
  if (s.in_step) throw RunError("leaves replaced within a step", "gradient reduction", "call finish() first");
  bool same = leaves.size() == s.leaves.size();
  for (size_t leaf = 0; same && leaf < leaves.size(); ++leaf)
    same = leaves[leaf].sizes() == s.leaves[leaf].sizes();
  if (!same)
    throw RunError("leaves replaced by others of another number or size", "gradient reduction",
                   "make a new reducer");
  s.hooks.reset();
  s.release_gradients();
  s.leaves = std::move(leaves);
  s.hooks = std::make_unique<ArrivalHooks>(s.leaves, [&s](int64_t leaf) { s.on_arrival(leaf); });
  if (s.has_finished) s.bind_gradients();
}

}  // namespace smoothlab::cluster
