#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::models {

/// Named tensors and free-form metadata in the public safetensors format.
struct TensorFile {
  std::vector<std::pair<std::string, at::Tensor>> tensors;  ///< float32, float64, bf16, float16, int64, int32, uint8
  std::map<std::string, std::string> metadata;
};

/// Writes to `path` through the seam, synced; not renamed into place (a checkpoint folder is published whole).
/// Returns the CRC-32 of the file's bytes.
uint32_t write_safetensors(cluster::FileSystem& files, const std::string& path, const TensorFile& contents);

/// Throws DataError with offset and reason for anything that is not a whole, well-formed file.
TensorFile read_safetensors(const cluster::FileSystem& files, const std::string& path);

}  // namespace smoothlab::models
