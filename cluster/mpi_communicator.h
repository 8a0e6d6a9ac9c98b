#pragma once

#include <memory>

#include "cluster/communicator.h"

namespace smoothlab::cluster {

/// MPI over MPI_COMM_WORLD, CPU tensors only. See make_communicator().
std::unique_ptr<Communicator> make_mpi_communicator();

}  // namespace smoothlab::cluster
