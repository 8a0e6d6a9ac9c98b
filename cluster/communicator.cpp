#include "cluster/communicator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/error.h"
#include "cluster/mpi_communicator.h"

namespace smoothlab::cluster {
namespace {

template <typename Scalar>
at::Tensor single(Scalar value, at::ScalarType type) {
  return at::scalar_tensor(value, at::TensorOptions().dtype(type)).reshape({1});
}

at::Tensor bytes_of(const std::string& text, int64_t size) {
  at::Tensor bytes = at::zeros({size}, at::kByte);
  std::copy_n(text.data(), std::min<size_t>(text.size(), size), bytes.data_ptr<uint8_t>());
  return bytes;
}

std::string text_of(const uint8_t* bytes, int64_t size) {
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)};
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

/// A number in the environment; 0 where there is none.
int value_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? std::atoi(value) : 0;
}

}  // namespace

void require_collective_tensor(const at::Tensor& tensor, const char* collective) {
  if (!tensor.is_non_overlapping_and_dense())
    throw RunError("a tensor with gaps or overlaps cannot be communicated", collective,
                   "make it contiguous first");
}

void Communicator::attach(c10::Device /*device*/, bool /*shared*/) {}

void Communicator::note_repeated(const char* /*what*/) {}

void Communicator::watch_for_stalls(std::chrono::milliseconds /*limit*/, const StallAction& /*act*/) {}

bool Communicator::agree_any(bool flag) {
  return agree_max(flag ? 1 : 0) != 0;
}

bool Communicator::agree_all(bool flag) {
  return agree_max(flag ? 0 : 1) == 0;
}

int64_t Communicator::agree_max(int64_t value) {
  const at::Tensor agreed = single(value, at::kLong);
  allreduce(agreed, Reduction::max);
  return agreed.item<int64_t>();
}

std::string Communicator::broadcast_text(const std::string& text, int root) {
  const at::Tensor size = single(static_cast<int64_t>(text.size()), at::kLong);
  broadcast(size, root);
  const at::Tensor bytes = bytes_of(text, size.item<int64_t>());
  broadcast(bytes, root);
  return text_of(bytes.data_ptr<uint8_t>(), bytes.numel());
}

std::vector<std::string> Communicator::allgather_text(const std::string& text) {
  const at::Tensor sizes = allgather(single(static_cast<int64_t>(text.size()), at::kLong));
  const int64_t longest = sizes.max().item<int64_t>();
  const at::Tensor bytes = allgather(bytes_of(text, longest));
  std::vector<std::string> texts;
  for (int64_t r = 0; r < size(); ++r)
    texts.push_back(text_of(bytes.data_ptr<uint8_t>() + r * longest, sizes.data_ptr<int64_t>()[r]));
  return texts;
}

bool started_as_rank() {
  if (is_set("OMPI_COMM_WORLD_SIZE")) return true;
  // In a step of Slurm. A step of one task may as well be a shell (salloc, srun --pty) that starts ranks by
  // itself, and needs no MPI otherwise. A batch script has SLURM_PROCID too, but no step of srun's.
  if (is_set("SLURM_SRUN_COMM_PORT") && is_set("SLURM_STEP_NUM_TASKS") && is_set("SLURM_PROCID"))
    return value_of("SLURM_STEP_NUM_TASKS") > 1;
  return is_set("PMIX_RANK") || is_set("PMI_RANK");
}

std::unique_ptr<Communicator> make_communicator() {
  return started_as_rank() ? make_mpi_communicator() : make_solo_communicator();
}

}  // namespace smoothlab::cluster
