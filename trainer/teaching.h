#pragma once

#include <memory>
#include <string>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/task.h"
#include "trainer/recipe.h"
#include "trainer/replayed_logits.h"
#include "trainer/teacher_network.h"
#include "trainer/teacher_record.h"

namespace smoothlab::trainer {

/// What a student needs of its teacher: the network itself, or its logits from a file.
struct Teaching {
  std::unique_ptr<TeacherNetwork> live;  ///< null: replayed
  std::shared_ptr<const ReplayedLogits> replayed;
  TeacherRecord record;
};

/// Opens the teacher that the recipe asks for; null where it asks for none. A file of logits that is not
/// there yet is made, under a lock, so that of several runs which want it one makes it. Works out γ over the
/// inputs of the first epoch, each sample once over all ranks, unless an earlier sitting of the run did and
/// left a record in its folder. Collective. Throws UsageError and DataError for a teacher that does not fit,
/// or that is not the one of the earlier sitting.
std::unique_ptr<Teaching> open_teaching(const Recipe& recipe, const data::Task& task,
                                        const std::string& run_folder, cluster::Communicator& communicator,
                                        const cluster::Placement& placement, cluster::FileSystem& files,
                                        cluster::Log& log);

/// Throws what open_teaching would of a teacher that is there and does not fit, or is not there. Returns the
/// bytes that its weights take of each rank; 0 where it is replayed or there is none.
int64_t check_teaching(const Recipe& recipe, const data::Task& task);

/// Of the task's augmentation, what a file of logits must agree with: "crop 32, flip, seed 3, 8 draws". Empty
/// where inputs are the same in every epoch.
std::string describe_inputs(const Recipe& recipe);

}  // namespace smoothlab::trainer
