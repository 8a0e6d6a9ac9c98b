#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::models {

/// Named tensors and free-form metadata in the public safetensors format: 8 bytes of header length (little
/// endian), a JSON header, then the tensors' bytes in row-major order.
struct TensorFile {
  std::vector<std::pair<std::string, at::Tensor>>
      tensors;  ///< float32, float64, bf16, float16, int64, int32, uint8
  std::map<std::string, std::string> metadata;

  /// Undefined where no tensor has this name.
  at::Tensor find(const std::string& name) const;
};

/// Writes to `path` through the seam, synced; not renamed into place (a checkpoint folder is published
/// whole). Tensors stand in the order given, each contiguous; the first begins at a multiple of 8. Returns
/// the CRC-32 of the file's bytes. Throws UsageError for a dtype that has no place or a name that occurs
/// twice.
uint32_t write_safetensors(cluster::FileSystem& files, const std::string& path, const TensorFile& contents);

/// Tensors in the order of their bytes. Throws DataError with offset and reason for anything that is not a
/// whole, well-formed file.
TensorFile read_safetensors(const cluster::FileSystem& files, const std::string& path);
/// The same from the file's bytes; `path` stands for the file in errors.
TensorFile parse_safetensors(const std::string& bytes, const std::string& path);

}  // namespace smoothlab::models
