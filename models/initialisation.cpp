#include "models/initialisation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

#include "cluster/addressed_random.h"

namespace smoothlab::models {
namespace {

/// FNV-1a, folded to the 56 bits that a sample's address has.
uint64_t address_of(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return (hash ^ (hash >> 56)) & ((uint64_t{1} << 56) - 1);
}

/// Redraws count in the address's epoch, so that an element never shifts its neighbours.
double truncated_normal(uint64_t seed, uint64_t address, uint32_t element) {
  for (uint64_t attempt = 0;; ++attempt) {
    const double value = AddressedRandom(seed, Purpose::initialisation, attempt, address).normal(element);
    if (std::abs(value) <= 2) return value;
  }
}

}  // namespace

Initialiser Initialiser::he_normal(int64_t fan_in) {
  return normal(std::sqrt(2.0 / static_cast<double>(fan_in)));
}

Initialiser Initialiser::lecun_normal(int64_t fan_in) {
  return normal(std::sqrt(1.0 / static_cast<double>(fan_in)));
}

Initialiser Initialiser::truncated_of_variance(double variance) {
  // Deviation of a standard normal truncated to [−2, 2].
  constexpr double kTruncatedDeviation = 0.87962566103423978;
  return truncated_normal(std::sqrt(variance) / kTruncatedDeviation);
}

at::Tensor initial_value(const Initialiser& initialiser, const std::vector<int64_t>& shape,
                         const std::string& name, uint64_t seed, bool channels_last) {
  at::Tensor value = at::full(shape, initialiser.value, at::kFloat);
  if (initialiser.kind != Initialiser::Kind::constant) {
    const uint64_t address = address_of(name);
    const AddressedRandom random(seed, Purpose::initialisation, 0, address);
    float* out = value.data_ptr<float>();
    at::parallel_for(0, value.numel(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto element = static_cast<uint32_t>(i);
        double unit = 0;
        switch (initialiser.kind) {
          case Initialiser::Kind::uniform:
            unit = 2 * random.uniform(element) - 1;
            break;
          case Initialiser::Kind::normal:
            unit = random.normal(element);
            break;
          default:
            unit = truncated_normal(seed, address, element);
        }
        out[i] = static_cast<float>(initialiser.value * unit);
      }
    });
  }
  if (channels_last && shape.size() == 4) value = value.contiguous(at::MemoryFormat::ChannelsLast);
  return value;
}

}  // namespace smoothlab::models
