#include "cluster/build_info.h"

#include <dlfcn.h>
#include <mpi.h>
#include <torch/version.h>

#include <filesystem>

#include "code_version.h"  // written by the build

namespace smoothlab::cluster {

std::string code_version() {
  return SMOOTHLAB_VERSION;
}

std::string torch_version() {
  return "LibTorch " TORCH_VERSION;
}

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

std::string blas_library() {
  void* symbol = dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info;
  if (!symbol || !dladdr(symbol, &info) || !info.dli_fname) return "";
  std::error_code failed;
  const auto real = std::filesystem::canonical(info.dli_fname, failed);
  return failed ? info.dli_fname : real.string();
}

}  // namespace smoothlab::cluster
