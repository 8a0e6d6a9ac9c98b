#include "models/packed_attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/attention_head.h"
#include "models/kernel_types.h"

namespace smoothlab::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Where q, k and v are in their tensors' rows.
struct Layout {
  int64_t width, q_stride, kv_stride, k_column, v_column;
  Layout(const at::Tensor& q, const at::Tensor& kv, bool self)
      : width(self ? q.size(1) / 3 : q.size(1)),
        q_stride(q.size(1)),
        kv_stride(kv.size(1)),
        k_column(self ? width : 0),
        v_column(k_column + width) {}
};

/// work(head scratch, sentence, head) on every head of every sentence.
template <typename Work>
void for_each_head(const AttentionShape& shape, const Work& work) {
  const auto sentences = static_cast<int64_t>(shape.queries.size()) - 1;
  at::parallel_for(0, sentences * shape.heads, 1, [&](int64_t begin, int64_t end) {
    AttentionHead head;
    for (int64_t i = begin; i < end; ++i) work(head, i / shape.heads, i % shape.heads);
  });
}

HeadSize head_size(const AttentionShape& shape, int64_t sentence, int64_t width) {
  const auto at = static_cast<size_t>(sentence);
  HeadSize size;
  size.queries = shape.queries[at + 1] - shape.queries[at];
  size.keys = shape.keys[at + 1] - shape.keys[at];
  size.width = width / shape.heads;
  size.causal = shape.causal;
  return size;
}

/// The dropout factors of a head, or null.
const float* factors_of(AttentionHead& head, const AttentionShape& shape, const HeadSize& size,
                        int64_t sentence, int64_t number) {
  if (!shape.dropout.active()) return nullptr;
  float* factors = head.factors(size);
  for (int64_t query = 0; query < size.queries; ++query)
    shape.dropout.line_mask(shape.queries[static_cast<size_t>(sentence)], number * size.queries + query,
                            size.keys, factors + query * size.padded_keys());
  return factors;
}

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  /// kv: of one dimension for self-attention, since a Function takes no undefined tensors.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_in, const at::Tensor& kv_in,
                            const AttentionShape& shape) {
    const bool self = kv_in.dim() == 1;
    const at::Tensor q = q_in.contiguous(), kv = self ? q : kv_in.contiguous();
    const Layout layout(q, kv, self);
    const at::Tensor out = at::empty({q.size(0), layout.width}, q.options());
    const at::Tensor sums = at::empty({q.size(0), shape.heads}, q.options().dtype(at::kFloat));
    with_type(q.scalar_type(), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      for_each_head(shape, [&](AttentionHead& head, int64_t sentence, int64_t number) {
        const HeadSize size = head_size(shape, sentence, layout.width);
        const int64_t first = shape.queries[static_cast<size_t>(sentence)],
                      first_key = shape.keys[static_cast<size_t>(sentence)], column = number * size.width;
        const T* keys = kv.data_ptr<T>() + first_key * layout.kv_stride + column;
        head.load(size, q.data_ptr<T>() + first * layout.q_stride + column, layout.q_stride,
                  keys + layout.k_column, keys + layout.v_column, layout.kv_stride);
        head.forward(size, factors_of(head, shape, size, sentence, number),
                     out.data_ptr<T>() + first * layout.width + column, layout.width,
                     sums.data_ptr<float>() + first * shape.heads + number, shape.heads);
      });
    });
    context->save_for_backward({q, kv, sums});
    context->saved_data["self"] = self;
    context->saved_data["shape"] = Carried<AttentionShape>::wrap(shape);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const bool self = context->saved_data["self"].toBool();
    const at::Tensor &q = saved[0], &kv = saved[1], &sums = saved[2];
    const auto shape = Carried<AttentionShape>::unwrap(context->saved_data["shape"]);
    const Layout layout(q, kv, self);
    const at::Tensor gradient = gradients[0].contiguous(), d_q = at::empty_like(q),
                     d_kv = self ? d_q : at::empty_like(kv);
    with_type(q.scalar_type(), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      for_each_head(shape, [&](AttentionHead& head, int64_t sentence, int64_t number) {
        const HeadSize size = head_size(shape, sentence, layout.width);
        const int64_t first = shape.queries[static_cast<size_t>(sentence)],
                      first_key = shape.keys[static_cast<size_t>(sentence)], column = number * size.width;
        const T* keys = kv.data_ptr<T>() + first_key * layout.kv_stride + column;
        head.load(size, q.data_ptr<T>() + first * layout.q_stride + column, layout.q_stride,
                  keys + layout.k_column, keys + layout.v_column, layout.kv_stride);
        T* d_keys = d_kv.data_ptr<T>() + first_key * layout.kv_stride + column;
        head.backward(size, factors_of(head, shape, size, sentence, number),
                      gradient.data_ptr<T>() + first * layout.width + column, layout.width,
                      sums.data_ptr<float>() + first * shape.heads + number, shape.heads,
                      d_q.data_ptr<T>() + first * layout.q_stride + column, layout.q_stride,
                      d_keys + layout.k_column, d_keys + layout.v_column, layout.kv_stride);
      });
    });
    return {d_q, self ? at::Tensor() : d_kv, at::Tensor()};
  }
};

/// The same from ATen's operations, for any device, sentence by sentence.
at::Tensor attention_aten(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const AttentionShape& shape) {
  const int64_t width = q.size(1), depth = width / shape.heads;
  std::vector<at::Tensor> results;
  for (size_t i = 0; i + 1 < shape.queries.size(); ++i) {
    const int64_t queries = shape.queries[i + 1] - shape.queries[i], keys = shape.keys[i + 1] - shape.keys[i];
    const auto heads = [&](const at::Tensor& rows, int64_t first, int64_t count) {
      return rows.narrow(0, first, count).view({count, shape.heads, depth}).transpose(0, 1);
    };
    at::Tensor scores =
        at::matmul(heads(q, shape.queries[i], queries), heads(k, shape.keys[i], keys).transpose(1, 2)) /
        std::sqrt(static_cast<double>(depth));
    if (shape.causal)
      scores = scores.masked_fill(at::ones({queries, keys}, scores.options().dtype(at::kBool)).triu(1),
                                  -std::numeric_limits<double>::infinity());
    at::Tensor weights = at::softmax(scores, -1);
    if (shape.dropout.active()) {
      const at::Tensor mask = at::empty({shape.heads * queries, keys}, at::kFloat);
      for (int64_t line = 0; line < shape.heads * queries; ++line)
        shape.dropout.line_mask(shape.queries[i], line, keys, mask.data_ptr<float>() + line * keys);
      weights = times_factors(weights, mask.view(weights.sizes()));
    }
    results.push_back(
        at::matmul(weights, heads(v, shape.keys[i], keys)).transpose(0, 1).reshape({queries, width}));
  }
  return results.empty() ? at::empty_like(q) : at::cat(results);
}

}  // namespace

at::Tensor self_attention(const at::Tensor& rows, const AttentionShape& shape) {
  if (has_kernels(rows)) return PackedAttention::apply(rows, at::empty({0}), shape);
  const auto parts = rows.contiguous().chunk(3, 1);
  return attention_aten(parts[0].contiguous(), parts[1].contiguous(), parts[2].contiguous(), shape);
}

at::Tensor cross_attention(const at::Tensor& queries, const at::Tensor& keys_and_values,
                           const AttentionShape& shape) {
  if (has_kernels(queries)) return PackedAttention::apply(queries, keys_and_values, shape);
  const auto parts = keys_and_values.contiguous().chunk(2, 1);
  return attention_aten(queries.contiguous(), parts[0].contiguous(), parts[1].contiguous(), shape);
}

}  // namespace smoothlab::models
