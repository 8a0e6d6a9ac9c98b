#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cluster/file_system.h"

namespace smoothlab::trainer {

/// manifest.json: which files a checkpoint consists of, with size and CRC-32 of each, and of itself. Written
/// last; a folder without it is no checkpoint.
struct CheckpointManifest {
  struct File {
    uint64_t size = 0;
    uint32_t crc32 = 0;
  };
  int64_t step = 0;
  std::map<std::string, File> files;  ///< by name inside the checkpoint's folder, "ranks/rank-0.safetensors"
};

std::string to_json(const CheckpointManifest& manifest);

/// Throws DataError where the text is not, byte for byte, what to_json made.
CheckpointManifest manifest_from_json(const std::string& text, const std::string& path);

/// What in this folder does not match what was written, "weights.safetensors: …"; empty when the checkpoint
/// is whole. Reads every byte of it. Throws EnvironmentError where something cannot be read, which says
/// nothing about the bytes: they may be whole.
std::string checkpoint_damage(const cluster::FileSystem& files, const std::string& folder, int64_t step);

}  // namespace smoothlab::trainer
