// Takes the place of nccl_communicator.cpp in a build without NCCL.
#include "cluster/build_info.h"
#include "cluster/nccl_communicator.h"

namespace smoothlab::cluster {

bool built_with_nccl() {
  return false;
}

std::unique_ptr<Communicator> with_nccl(std::unique_ptr<Communicator> host, MpiEngine& /*mpi*/) {
  return host;
}

}  // namespace smoothlab::cluster
