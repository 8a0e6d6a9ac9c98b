#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/file_system.h"

namespace smoothlab::trainer {

/// Whom a run learns from, and how: RUN/teacher.json, there from its first step.
struct TeacherRecord {
  std::string teacher;          ///< as the recipe names it: teacher.run, or teacher.logits where that is all
  std::string model;            ///< empty where a file of logits does not say
  int64_t step = 0;             ///< steps that it learnt for
  std::optional<double> alpha;  ///< label smoothing that it learnt with; none: unknown
  std::string convention;
  std::string digest;  ///< SHA-256 of its weights; empty where a file of logits does not say
  uint32_t crc32 = 0;  ///< of the same file, as its checkpoint's manifest has it; 0: unknown
  std::string loss;    ///< teacher.loss
  double beta = 1, temperature = 1;
  bool replayed = false;  ///< from a file
  int64_t draws = 0;      ///< task.augment.draws
  int64_t samples = 0;    ///< of the training split, what gamma is the mean over
  double gamma = 0;  ///< equivalent smoothing of the teacher at this temperature, see equivalent_smoothing.h
};

/// Where it stands in a run's folder.
std::string teacher_path(const std::string& folder);
/// Written whole or not at all. Throws EnvironmentError.
void write_teacher(cluster::FileSystem& files, const std::string& folder, const TeacherRecord& record);
/// From the file's text. Throws DataError where it is no such record.
TeacherRecord teacher_record_of(const std::string& text, const std::string& path);
/// None where the run has no teacher. Throws DataError where the file is no such record.
std::optional<TeacherRecord> read_teacher_record(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::trainer
