#pragma once

#include <functional>
#include <memory>

#include "cluster/communicator.h"
#include "cluster/mpi_engine.h"

namespace smoothlab::cluster {

/// Carries CUDA tensors by NCCL and leaves all others to `host`, whose ranks it shares, from attach() with a
/// CUDA device on. mpi: the engine of `host`. Where this build has no NCCL, returns `host`.
std::unique_ptr<Communicator> with_nccl(std::unique_ptr<Communicator> host, MpiEngine& mpi);

}  // namespace smoothlab::cluster
