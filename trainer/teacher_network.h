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

/// A trained network that is only asked for its logits.
struct TeacherNetwork {
  std::unique_ptr<models::Network> network;  ///< on the device, in the student's precision; has no gradients
  std::string weights;                       ///< the file they were read from
  std::string digest;                        ///< its SHA-256
  uint32_t crc32 = 0;                        ///< its CRC-32, as manifests have it
  std::string model;                         ///< as recipes call it
  int64_t step = 0;                          ///< steps that it learnt for; 0: unknown
  /// Of its own recipe; without one, from a weights file of another program, empty and 0.
  std::string recipe;
  TargetOptions targets;

  /// float32 [R, K] of a batch, as in evaluation, without gradients.
  at::Tensor logits(const std::vector<at::Tensor>& inputs) const;
};

/// Where a teacher's parts are.
struct TeacherFiles {
  std::string weights, recipe;  ///< recipe: empty where there is none
};

/// Finds the teacher that `from` names: a run's newest whole checkpoint, the checkpoint in a folder, or a
/// .safetensors file, which may have a recipe beside it; averages of weights where the run keeps them.
/// Damaged checkpoints are named on the log. Throws DataError where there is none, or the one that is named
/// is damaged.
TeacherFiles find_teacher(const std::string& from, const cluster::FileSystem& files, cluster::Log& log);

/// Reads a teacher. It is fed what the student is: train, the student's training split, says of what shape
/// and how many classes. Throws UsageError, at teacher.run, where it has other classes or inputs than the
/// student, DataError where its file is damaged or does not say what network it is of.
TeacherNetwork read_teacher(const TeacherFiles& found, const Recipe& student, const data::Dataset& train,
                            const cluster::Placement& placement, const cluster::FileSystem& files,
                            cluster::Log& log);

/// What tells a teacher from others, without its network.
struct TeacherIdentity {
  std::string digest;
  uint32_t crc32 = 0;
  std::string recipe_hash, step;  ///< as its weights say; empty where they do not
};
TeacherIdentity identify_teacher(const TeacherFiles& teacher, const cluster::FileSystem& files);

/// CRC-32 of the weights that read_teacher would take from a run now, as the manifest of its newest
/// checkpoint has it, whose weights are not read; none where the folder is no run's or has no checkpoint.
std::optional<uint32_t> newest_weights_crc32(const std::string& run, const cluster::FileSystem& files);

}  // namespace smoothlab::trainer
