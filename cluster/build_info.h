#pragma once

#include <string>

namespace smoothlab::cluster {

/// Version of the program, with the commit it was built from where that is known: "0.1.0+3f2a91c",
/// and "-dirty" behind it where its files had been changed since.
std::string code_version();

/// What the program was built with and runs with, each "name version".
std::string torch_version();
std::string mpi_version();
/// Whether several ranks can exchange CUDA tensors.
bool built_with_nccl();
/// The library that dense matrix products come from, as a path; empty where it cannot be told.
std::string blas_library();

}  // namespace smoothlab::cluster
