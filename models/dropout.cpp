#include "models/dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "cluster/side_stream.h"

namespace smoothlab::models {

void check_dropout(double probability, const char* key) {
  if (probability >= 0 && probability < 1) return;
  throw UsageError("a dropout probability must lie in [0, 1)", key, "0 turns dropout off");
}

at::Tensor Dropout::operator()(const at::Tensor& input, const ForwardContext& context) const {
  if (!context.training || probability_ == 0) return input;
  const int64_t batch = input.size(0), units = input.size(1);
  if (!context.sample_ids.defined() || context.sample_ids.numel() != batch) {
    throw RunError("dropout needs the id of every sample", "batch of " + std::to_string(batch),
                   "give ForwardContext::sample_ids");
  }
  const at::Tensor ids = context.sample_ids.to(at::kCPU, at::kLong).contiguous();
  const int64_t* id = ids.data_ptr<int64_t>();
  at::Tensor mask = at::empty({batch, units}, at::kFloat);
  float* out = mask.data_ptr<float>();
  const auto kept = static_cast<float>(1 / (1 - probability_));
  const auto threshold = static_cast<uint64_t>(std::llround(std::ldexp(probability_, 32)));
  at::parallel_for(0, batch, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const AddressedRandom random(context.seed, Purpose::dropout, static_cast<uint64_t>(context.step),
                                   static_cast<uint64_t>(id[row]));
      for (int64_t unit = 0; unit < units; unit += 4) {
        const auto words = random.block(first_draw_ + static_cast<uint32_t>(unit / 4));
        for (int64_t i = 0; i < std::min<int64_t>(4, units - unit); ++i) {
          out[row * units + unit + i] = words[static_cast<size_t>(i)] < threshold ? 0.0F : kept;
        }
      }
    }
  });
  return input * cluster::upload(mask.to(input.scalar_type()), input.device());
}

}  // namespace smoothlab::models
