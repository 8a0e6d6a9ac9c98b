#include "cluster/mpi_communicator.h"

#include <ATen/ATen.h>

#include <exception>
#include <utility>

#include "cluster/error.h"
#include "cluster/mpi_engine.h"
#include "cluster/nccl_communicator.h"

namespace smoothlab::cluster {
namespace {

MPI_Datatype element_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    case at::kInt:
      return MPI_INT32_T;
    case at::kByte:
      return MPI_UINT8_T;
    case at::kBFloat16:
      return MPI_UINT16_T;  // only add_bfloat16 knows what it is
    default:
      throw RunError(std::string("MPI cannot reduce ") + c10::toString(tensor.scalar_type()), "allreduce",
                     "convert the tensor to float32 first");
  }
}

/// MPI knows no bf16.
void add_bfloat16(void* terms, void* sums, int* count, MPI_Datatype* /*type*/) {
  const auto* term = static_cast<const c10::BFloat16*>(terms);
  auto* sum = static_cast<c10::BFloat16*>(sums);
  for (int i = 0; i < *count; ++i) sum[i] = static_cast<float>(sum[i]) + static_cast<float>(term[i]);
}

void require_on_cpu(const at::Tensor& tensor, const char* collective) {
  require_collective_tensor(tensor, collective);
  if (!tensor.device().is_cpu())
    throw RunError("MPI moves tensors in main memory, not on " + tensor.device().str(), collective,
                   "copy the tensor to the CPU first");
}

class Pending : public PendingCollective {
 public:
  Pending(MpiEngine& engine, std::shared_ptr<MpiOperation> operation)
      : engine_(engine), operation_(std::move(operation)) {}
  ~Pending() override {
    // While an exception unwinds, peers may never send their part. The engine keeps the tensor alive.
    if (operation_ && std::uncaught_exceptions() == 0) try {
        engine_.wait(*operation_);
      } catch (const Error&) {
        // Whoever wanted to know would have called wait().
      }
  }
  void wait() override {
    if (const auto operation = std::exchange(operation_, nullptr)) engine_.wait(*operation);
  }

 private:
  MpiEngine& engine_;
  std::shared_ptr<MpiOperation> operation_;
};

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator() { MPI_Op_create(add_bfloat16, /*commute=*/1, &add_bfloat16_); }
  ~MpiCommunicator() override { MPI_Op_free(&add_bfloat16_); }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  MpiEngine& engine() { return engine_; }
  int rank() const override { return engine_.rank(); }
  int size() const override { return engine_.size(); }
  int local_rank() const override { return engine_.local_rank(); }
  int local_size() const override { return engine_.local_size(); }
  std::string backend() const override { return "mpi"; }

  std::unique_ptr<PendingCollective> allreduce_async(at::Tensor tensor, Reduction reduction) override {
    require_on_cpu(tensor, "allreduce");
    const MPI_Datatype type = element_type(tensor);
    const MPI_Op op = operation_of(reduction, tensor.scalar_type());
    const auto width = static_cast<int64_t>(tensor.element_size());
    return std::make_unique<Pending>(
        engine_,
        engine_.start("allreduce", tensor, tensor.numel(), width,
                      [=](char* base, int64_t first, int count, MPI_Comm comm, MPI_Request* request) {
                        return MPI_Iallreduce(MPI_IN_PLACE, base + first * width, count, type, op, comm,
                                              request);
                      }));
  }

  void broadcast(const at::Tensor& tensor, int root) override {
    require_on_cpu(tensor, "broadcast");
    if (root < 0 || root >= size())
      throw RunError("no rank " + std::to_string(root) + " of " + std::to_string(size()), "broadcast",
                     "name a root below the number of ranks");
    engine_.wait(
        *engine_.start("broadcast", tensor, static_cast<int64_t>(tensor.nbytes()), 1,
                       [=](char* base, int64_t first, int count, MPI_Comm comm, MPI_Request* request) {
                         return MPI_Ibcast(base + first, count, MPI_BYTE, root, comm, request);
                       }));
  }

  at::Tensor allgather(const at::Tensor& tensor) override {
    const at::Tensor own = tensor.dim() == 0 ? tensor.reshape({1}) : tensor.contiguous();
    require_on_cpu(own, "allgather");
    std::vector<int64_t> shape = own.sizes().vec();
    shape[0] *= size();
    at::Tensor all = at::empty(shape, own.options());
    const auto bytes = static_cast<int64_t>(own.nbytes());
    if (bytes > MpiEngine::chunk_bytes) {  // pieces of one tensor do not lie together in the result
      for (int from = 0; from < size(); ++from) {
        const at::Tensor part = all.narrow(0, from * own.size(0), own.size(0));
        if (from == rank()) part.copy_(own);
        broadcast(part, from);
      }
      return all;
    }
    void* source = own.data_ptr();
    engine_.wait(*engine_.start(
        "allgather", all, bytes, 1, [=](char* base, int64_t, int count, MPI_Comm comm, MPI_Request* request) {
          return MPI_Iallgather(source, count, MPI_BYTE, base, count, MPI_BYTE, comm, request);
        }));
    return all;
  }

  void barrier() override { agree_max(0); }

  void watch_for_stalls(std::chrono::milliseconds limit, const StallAction& act) override {
    engine_.watch(limit, act);
  }

  [[noreturn]] void abort(int exit_code) override { engine_.abort(exit_code); }

 private:
  MPI_Op operation_of(Reduction reduction, at::ScalarType type) const {
    if (type != at::kBFloat16)
      return reduction == Reduction::sum ? MPI_SUM : reduction == Reduction::max ? MPI_MAX : MPI_MIN;
    if (reduction == Reduction::sum) return add_bfloat16_;
    throw RunError("MPI can only sum bf16", "allreduce", "convert the tensor to float32 first");
  }

  MpiEngine engine_;
  MPI_Op add_bfloat16_ = MPI_OP_NULL;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator() {
  auto communicator = std::make_unique<MpiCommunicator>();
  MpiEngine& engine = communicator->engine();
  return with_nccl(std::move(communicator), engine);
}

}  // namespace smoothlab::cluster
