#pragma once

#include <string>

namespace smoothlab::cluster {

// What LibTorch and this machine can do, for a person who asks. See also build_info.h and device.h.

/// Name of this node, as errors give it.
std::string host_name();

/// What the processor calls itself, "AMD EPYC 9B45"; empty where it does not say.
std::string processor_name();

/// Best of a few float32 matrix products of 768³, in 10⁹ floating-point operations a second.
double matrix_gflops();

/// What LibTorch was built with.
bool torch_has_onednn();
bool torch_has_cuda();

/// How this processor multiplies bf16: "amx_bf16", "avx512_bf16", or empty where it is emulated.
std::string bf16_instructions();

/// Version of the NCCL that this process would load, "2.22.3"; empty where there is none.
std::string nccl_version();
/// "2.22.3" of the number by which NCCL tells its version.
std::string nccl_version_text(int number);

}  // namespace smoothlab::cluster
