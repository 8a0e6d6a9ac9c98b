#include <cstdio>
#include <cstdlib>

#include "cluster/communicator.h"

namespace smoothlab::cluster {
namespace {

class Done : public PendingCollective {
 public:
  void wait() override {}
};

class SoloCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string backend() const override { return "solo"; }
  bool carries(c10::DeviceType) const override { return true; }

  std::unique_ptr<PendingCollective> allreduce_async(at::Tensor tensor, Reduction) override {
    require_collective_tensor(tensor, "allreduce");
    return std::make_unique<Done>();
  }
  void broadcast(const at::Tensor& tensor, int) override { require_collective_tensor(tensor, "broadcast"); }
  at::Tensor allgather(const at::Tensor& tensor) override {
    return (tensor.dim() == 0 ? tensor.reshape({1}) : tensor).clone(at::MemoryFormat::Contiguous);
  }
  void barrier() override {}
  [[noreturn]] void abort(int exit_code) override {
    std::fflush(nullptr);
    std::_Exit(exit_code);
  }
};

}  // namespace

std::unique_ptr<Communicator> make_solo_communicator() {
  return std::make_unique<SoloCommunicator>();
}

}  // namespace smoothlab::cluster
