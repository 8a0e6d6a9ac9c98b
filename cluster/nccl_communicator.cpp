#include "cluster/nccl_communicator.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "cluster/build_info.h"
#include "cluster/error.h"
#include "cluster/machine_probe.h"
#include "cluster/nccl_engine.h"

namespace smoothlab::cluster {
namespace {

ncclDataType_t element_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kLong:
      return ncclInt64;
    case at::kInt:
      return ncclInt32;
    case at::kByte:
      return ncclUint8;
    default:
      throw RunError(std::string("NCCL cannot reduce ") + c10::toString(tensor.scalar_type()), "allreduce",
                     "convert the tensor to float32 first");
  }
}

ncclRedOp_t operation_of(Reduction reduction) {
  return reduction == Reduction::sum ? ncclSum : reduction == Reduction::max ? ncclMax : ncclMin;
}

/// NCCL refuses two ranks of one node on one device; ranks of different nodes reach each other by the network
/// wherever they are.
void pose_as_a_node_of_its_own(int rank) {
  setenv("NCCL_HOSTID", (host_name() + "-rank-" + std::to_string(rank)).c_str(), /*overwrite=*/0);
}

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> host, MpiEngine& mpi) : host_(std::move(host)), mpi_(mpi) {}
  ~NcclCommunicator() override {
    if (nccl_) nccl_->drain();  // while the watch still sees who does not join
    mpi_.observe(nullptr);
  }

  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  int local_rank() const override { return host_->local_rank(); }
  int local_size() const override { return host_->local_size(); }
  std::string backend() const override { return nccl_ ? "nccl" : host_->backend(); }
  bool carries(c10::DeviceType type) const override {
    return type == c10::DeviceType::CUDA || host_->carries(type);
  }

  void attach(c10::Device device, bool shared) override {
    if (!device.is_cuda() || nccl_) return;
    if (shared) pose_as_a_node_of_its_own(rank());
    nccl_ = std::make_unique<NcclEngine>(rank(), device, [this] { return mpi_.count_collective(); });
    mpi_.observe([this](Heartbeat& heartbeat) {
      nccl_->observe(heartbeat);
      nccl_->check();
    });
    nccl_->begin(*host_);
  }

  std::unique_ptr<PendingCollective> allreduce_async(at::Tensor tensor, Reduction reduction) override {
    if (!tensor.is_cuda()) return host_->allreduce_async(tensor, reduction);
    require_collective_tensor(tensor, "allreduce");
    const ncclDataType_t type = element_type(tensor);
    const ncclRedOp_t op = operation_of(reduction);
    void* values = tensor.data_ptr();
    const auto count = static_cast<size_t>(tensor.numel());
    return nccl().start("allreduce", tensor, [=](ncclComm_t comm, cudaStream_t stream) {
      return ncclAllReduce(values, values, count, type, op, comm, stream);
    });
  }

  void broadcast(const at::Tensor& tensor, int root) override {
    if (!tensor.is_cuda()) return host_->broadcast(tensor, root);
    require_collective_tensor(tensor, "broadcast");
    if (root < 0 || root >= size())
      throw RunError("no rank " + std::to_string(root) + " of " + std::to_string(size()), "broadcast",
                     "name a root below the number of ranks");
    void* bytes = tensor.data_ptr();
    const size_t count = tensor.nbytes();
    nccl()
        .start("broadcast", tensor,
               [=](ncclComm_t comm, cudaStream_t stream) {
                 return ncclBroadcast(bytes, bytes, count, ncclUint8, root, comm, stream);
               })
        ->wait();
  }

  at::Tensor allgather(const at::Tensor& tensor) override {
    if (!tensor.is_cuda()) return host_->allgather(tensor);
    const at::Tensor own = tensor.dim() == 0 ? tensor.reshape({1}) : tensor.contiguous();
    std::vector<int64_t> shape = own.sizes().vec();
    shape[0] *= size();
    at::Tensor all = at::empty(shape, own.options());
    const void* from = own.data_ptr();
    void* to = all.data_ptr();
    const size_t count = own.nbytes();
    nccl()
        .start("allgather", all,
               [=](ncclComm_t comm, cudaStream_t stream) {
                 return ncclAllGather(from, to, count, ncclUint8, comm, stream);
               })
        ->wait();
    return all;
  }

  void barrier() override { host_->barrier(); }

  void note_repeated(const char* what) override {
    if (nccl_) nccl_->note_repeated(what);
  }

  void watch_for_stalls(std::chrono::milliseconds limit, const StallAction& act) override {
    host_->watch_for_stalls(limit, act);
  }

  [[noreturn]] void abort(int exit_code) override {
    if (nccl_) nccl_->abort();
    host_->abort(exit_code);
    std::_Exit(exit_code);  // GCC 14 does not see that the line above never returns
  }

 private:
  NcclEngine& nccl() {
    if (!nccl_)
      throw RunError("a CUDA tensor before the communicator was attached to its device", "NCCL",
                     "place the rank first");
    return *nccl_;
  }

  std::unique_ptr<Communicator> host_;
  MpiEngine& mpi_;
  std::unique_ptr<NcclEngine> nccl_;
};

}  // namespace

bool built_with_nccl() {
  return true;
}

std::unique_ptr<Communicator> with_nccl(std::unique_ptr<Communicator> host, MpiEngine& mpi) {
  return std::make_unique<NcclCommunicator>(std::move(host), mpi);
}

}  // namespace smoothlab::cluster
