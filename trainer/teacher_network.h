#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/device.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/dataset.h"
#include "models/network.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// What tells a teacher from others, by its weights file alone.
struct TeacherIdentity {
  std::string digest;                   ///< the file's SHA-256
  uint32_t crc32 = 0;                   ///< its CRC-32, as manifests have it
  int64_t step = 0;                     ///< steps that it learnt for; 0: unknown
  std::optional<double> alpha;          ///< label smoothing that it learnt with; none: unknown
  std::string convention, recipe_hash;  ///< empty: unknown
};

/// A trained network that is only asked for its logits.
struct TeacherNetwork {
  std::unique_ptr<models::Network> network;  ///< on the device, in the student's precision; has no gradients
  std::string weights;                       ///< the file they were read from
  TeacherIdentity identity;
  std::string model;   ///< as recipes call it
  std::string recipe;  ///< its resolved recipe; empty where there is none

  /// float32 [R, K] of a batch, as in evaluation, without gradients.
  at::Tensor logits(const std::vector<at::Tensor>& inputs) const;
};

/// Where a teacher's parts are.
struct TeacherFiles {
  std::string weights, recipe;  ///< recipe: empty where there is none
};

/// Finds the teacher that `from` names: the checkpoint that stands for a run, the checkpoint in a folder, or
/// a .safetensors file, which may have a recipe beside it; averages of weights where the run keeps them.
/// Damaged checkpoints are named on the log. Throws DataError where there is none, or the best or the one
/// that is named is damaged.
TeacherFiles find_teacher(const std::string& from, const cluster::FileSystem& files, cluster::Log& log);

/// Reads a teacher. It is fed what the student is: train, the student's training split, says of what shape
/// and how many classes. Throws UsageError, at teacher.run, where it has other classes or inputs than the
/// student, DataError where its file is damaged or does not say what network it is of.
TeacherNetwork read_teacher(const TeacherFiles& found, const Recipe& student, const data::Dataset& train,
                            const cluster::Placement& placement, const cluster::FileSystem& files,
                            cluster::Log& log);

/// Without its network. Throws DataError where the file is damaged.
TeacherIdentity identify_teacher(const TeacherFiles& teacher, const cluster::FileSystem& files);

/// CRC-32 of the weights that are read of a checkpoint, by its manifest; none where that cannot be read.
std::optional<uint32_t> weights_crc32(const std::string& checkpoint, const cluster::FileSystem& files);

/// Whether the weights that would be read of a run now, those of the checkpoint that stands for it, are the
/// ones with this CRC-32; none where it has no such checkpoint. Reads manifests and states, and a checkpoint
/// only where its weights are others, to see whether it is whole.
std::optional<bool> still_teaches(const std::string& run, uint32_t crc32, const cluster::FileSystem& files);

}  // namespace smoothlab::trainer
