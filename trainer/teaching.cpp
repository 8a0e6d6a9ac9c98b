#include "trainer/teaching.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/error.h"
#include "data/augmentation_draws.h"
#include "eval/equivalent_smoothing.h"
#include "eval/evaluation_pass.h"
#include "eval/stated_origin.h"
#include "trainer/rank_agreement.h"
#include "trainer/recipe_keys.h"
#include "trainer/run_evaluation.h"

namespace smoothlab::trainer {
namespace {

/// Rows of each sample in a file of logits: one where it looks the same in every epoch.
int64_t draws_in_file(const Recipe& recipe) {
  return recipe.task.varies() ? recipe.task.augment.draws : 1;
}

/// As the student's own evaluations, with another network and its origin.
eval::EvaluationOptions teacher_pass(const Recipe& recipe, const data::Task& task,
                                     const TeacherNetwork& teacher) {
  eval::EvaluationOptions options = evaluation_options(recipe, task.name, "train", teacher.identity.step);
  options.keep_penultimate = false;
  options.origin.model = teacher.model;
  options.origin.alpha = teacher.identity.alpha;
  options.origin.convention = teacher.identity.convention;
  options.origin.recipe = teacher.recipe;
  options.origin.recipe_hash = teacher.identity.recipe_hash;
  options.origin.inputs = describe_inputs(recipe);
  options.origin.weights_digest = teacher.identity.digest;
  return options;
}

/// Of what this rank has seen; the same on all ranks afterwards.
double gamma_over_ranks(eval::EquivalentSmoothing& smoothing, cluster::Communicator& communicator) {
  auto& sums = smoothing.sums();
  communicator.allreduce(at::from_blob(sums.data(), {static_cast<int64_t>(sums.size())}, at::kDouble),
                         cluster::Reduction::sum);
  return smoothing.gamma()[0];
}

/// Runs a pass of the teacher; what it gives that is no number is its own fault, not the student's.
void ask(const TeacherNetwork& teacher, std::shared_ptr<const data::Dataset> inputs,
         cluster::Communicator& communicator, const cluster::Placement& placement,
         const eval::EvaluationOptions& options, cluster::Log& log) {
  try {
    eval::evaluate(*teacher.network, inputs, communicator, placement, options, log);
  } catch (const RunError& error) {
    throw DataError(fmt::format("of {}, {}", error.where(), error.problem()), teacher.weights,
                    "take another teacher");
  }
}

double live_gamma(const Recipe& recipe, const data::Task& task, const TeacherNetwork& teacher,
                  cluster::Communicator& communicator, const cluster::Placement& placement,
                  cluster::Log& log) {
  eval::EquivalentSmoothing smoothing({recipe.teacher.temperature}, task.train->classes());
  eval::EvaluationOptions options = teacher_pass(recipe, task, teacher);
  options.rows = [&](const float* logits, const int64_t* labels, int64_t rows) {
    smoothing.add(logits, labels, rows);
  };
  ask(teacher, data::first_epochs_of(task.train, 1), communicator, placement, options, log);
  return gamma_over_ranks(smoothing, communicator);
}

double replayed_gamma(const Recipe& recipe, const data::Dataset& train, const ReplayedLogits& replayed,
                      cluster::Communicator& communicator) {
  constexpr int64_t block = 1024;
  eval::EquivalentSmoothing smoothing({recipe.teacher.temperature}, train.classes());
  const int64_t first = train.size() * communicator.rank() / communicator.size();
  const int64_t end = train.size() * (int64_t{communicator.rank()} + 1) / communicator.size();
  const at::Tensor labels = train.labels();
  std::vector<data::SampleAddress> samples;
  for (int64_t sample = first; sample < end; sample += static_cast<int64_t>(samples.size())) {
    samples.clear();
    for (int64_t i = sample; i < std::min(end, sample + block); ++i) samples.push_back({i, 0});
    const at::Tensor rows = replayed.rows(samples);
    smoothing.add(rows.data_ptr<float>(), labels.data_ptr<int64_t>() + sample, rows.size(0));
  }
  return gamma_over_ranks(smoothing, communicator);
}

/// The lock of a file that is being made. Whoever comes second waits, and finds the file there.
std::unique_ptr<cluster::FileLock> wait_for_lock(cluster::FileSystem& files, const std::string& path,
                                                 cluster::Log& log) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) files.make_folders(folder.string());
  const std::string lock = path + ".lock";
  bool last_try = false;  // whoever held it may have let go in between
  for (bool told = false;; std::this_thread::sleep_for(std::chrono::milliseconds(200))) {
    try {
      return files.lock(lock);
    } catch (const EnvironmentError&) {
      if (!files.locked(lock) && std::exchange(last_try, true)) throw;
    }
    if (!told) log.info("another run makes {}; waiting for it", path);
    told = true;
  }
}

/// A teacher that still trains may finish a checkpoint in between: rank 0 chooses for all. Collective.
TeacherFiles find_for_all(const Recipe& recipe, cluster::Communicator& communicator,
                          const cluster::FileSystem& files, cluster::Log& log) {
  std::istringstream text(text_from_root(communicator, [&] {
    const TeacherFiles found = find_teacher(recipe.teacher.run, files, log);
    return found.weights + "\n" + found.recipe;
  }));
  TeacherFiles found;
  std::getline(text, found.weights);
  std::getline(text, found.recipe);
  return found;
}

/// Sees to it that there is the file of logits. Collective.
void make_logits(const Recipe& recipe, const data::Task& task, cluster::Communicator& communicator,
                 const cluster::Placement& placement, cluster::FileSystem& files, cluster::Log& log) {
  const std::string& path = recipe.teacher.logits;
  std::unique_ptr<cluster::FileLock> lock;
  const std::string state = text_from_root(communicator, [&] {
    if (files.exists(path)) return "there";
    if (recipe.teacher.run.empty())
      throw DataError("the file of the teacher's logits is not there", path,
                      "check teacher.logits, or name the teacher as teacher.run, and it is made");
    lock = wait_for_lock(files, path, log);
    return files.exists(path) ? "there" : "missing";
  });
  if (state == "there") return;
  const TeacherNetwork teacher = read_teacher(find_for_all(recipe, communicator, files, log), recipe,
                                              *task.train, placement, files, log);
  const int64_t draws = draws_in_file(recipe);
  log.info("{}: logits of {} for {} samples, {} draws each", path, teacher.model, task.train->size(), draws);
  eval::EvaluationOptions options = teacher_pass(recipe, task, teacher);
  options.logits = path;
  ask(teacher, data::first_epochs_of(task.train, draws), communicator, placement, options, log);
}

/// Of an earlier sitting. Rank 0 reads for all.
std::optional<TeacherRecord> earlier_record(const std::string& run_folder,
                                            cluster::Communicator& communicator,
                                            const cluster::FileSystem& files) {
  const std::string path = teacher_path(run_folder);
  const std::string text =
      text_from_root(communicator, [&] { return files.exists(path) ? files.read(path) : std::string(); });
  if (text.empty()) return std::nullopt;
  return teacher_record_of(text, path);
}

TeacherRecord record_of(const Recipe& recipe, const data::Dataset& train) {
  TeacherRecord record;
  record.teacher = recipe.teacher.run.empty() ? recipe.teacher.logits : recipe.teacher.run;
  record.loss = recipe.teacher.loss;
  record.beta = recipe.teacher.beta;
  record.temperature = recipe.teacher.temperature;
  record.draws = recipe.task.augment.draws;
  record.samples = train.size();
  return record;
}

/// The file says of which weights it is, or at least of which run and step, as those do that a run leaves of
/// itself.
void compare_with_teacher(const eval::LogitFile& file, const std::string& run, TeacherRecord& record,
                          const cluster::FileSystem& files, cluster::Log& log) {
  TeacherIdentity teacher;
  try {
    teacher = identify_teacher(find_teacher(run, files, log), files);
  } catch (const DataError& error) {
    log.warning("{} is replayed, though its teacher is not there to compare it with: {}", file.path(),
                error.what());
    return;
  }
  record.crc32 = teacher.crc32;
  if (record.digest.empty()) {
    if (file.attribute("recipe_hash").empty() || file.attribute("step").empty())
      throw DataError("the file does not say of which weights its logits are", file.path(),
                      "leave teacher.run out to trust it");
    if (file.attribute("recipe_hash") == teacher.recipe_hash &&
        file.attribute("step") == std::to_string(teacher.step)) {
      record.digest = teacher.digest;
      return;
    }
  }
  if (record.digest != teacher.digest)
    throw DataError(fmt::format("the logits are not of the weights in {}", run), file.path(),
                    record.digest.empty() ? "name another file, which is made anew"
                                          : "remove the file, and it is made anew, or name another one");
}

void open_replayed(Teaching& teaching, const Recipe& recipe, const data::Task& task,
                   cluster::Communicator& communicator, const cluster::FileSystem& files, cluster::Log& log) {
  const std::string& path = recipe.teacher.logits;
  teaching.replayed = std::make_shared<ReplayedLogits>(
      path, *task.train, task.name,
      ReplayedInputs{draws_in_file(recipe), describe_inputs(recipe), recipe.task.augment.normalize});
  const eval::LogitFile& file = teaching.replayed->file();
  TeacherRecord& record = teaching.record;
  record.replayed = true;
  record.digest = file.attribute("weights_digest");
  record.model = file.attribute("model");
  record.convention = file.attribute("convention");
  const eval::StatedOrigin origin = eval::stated_origin(file);
  record.alpha = eval::stated_number(origin, "alpha");
  record.step = static_cast<int64_t>(eval::stated_number(origin, "step").value_or(0));
  if (recipe.teacher.run.empty()) return;
  // Rank 0 for all: what there is of the teacher may change meanwhile.
  std::istringstream identity(text_from_root(communicator, [&] {
    compare_with_teacher(file, recipe.teacher.run, record, files, log);
    return fmt::format("{} {}", record.crc32, record.digest);
  }));
  identity >> record.crc32 >> record.digest;
}

void open_live(Teaching& teaching, const Recipe& recipe, const data::Dataset& train,
               cluster::Communicator& communicator, const cluster::Placement& placement,
               const cluster::FileSystem& files, cluster::Log& log) {
  teaching.live = std::make_unique<TeacherNetwork>(
      read_teacher(find_for_all(recipe, communicator, files, log), recipe, train, placement, files, log));
  TeacherRecord& record = teaching.record;
  record.model = teaching.live->model;
  record.step = teaching.live->identity.step;
  record.alpha = teaching.live->identity.alpha;
  record.convention = teaching.live->identity.convention;
  record.digest = teaching.live->identity.digest;
  record.crc32 = teaching.live->identity.crc32;
}

}  // namespace

std::string describe_inputs(const Recipe& recipe) {
  const auto& augment = recipe.task.augment;
  if (!recipe.task.varies()) return "";
  std::string text;
  for (const auto& key : recipe_keys())
    if (block_of(key.path) == "task.augment" && key.write(recipe) != key.write(Recipe()))
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name_of(key.path), key.write(recipe));
  if (augment.seed == 0) text += fmt::format(", seed: {}", recipe.train.seed);
  return text;
}

int64_t check_teaching(const Recipe& recipe, const data::Task& task) {
  if (recipe.teacher.loss == "none") return 0;
  const auto files = cluster::local_file_system();
  cluster::Log log(0, /*quiet=*/true);
  const auto alone = cluster::make_solo_communicator();
  Teaching teaching;
  if (!recipe.teacher.logits.empty() &&
      (recipe.teacher.run.empty() || files->exists(recipe.teacher.logits))) {
    open_replayed(teaching, recipe, task, *alone, *files, log);
    return 0;
  }
  open_live(teaching, recipe, *task.train, *alone, cluster::Placement{}, *files, log);
  int64_t bytes = 0;
  for (const auto& parameter : teaching.live->network->parameters())
    bytes += static_cast<int64_t>(parameter.value.nbytes());
  return recipe.teacher.logits.empty() ? bytes : 0;
}

std::unique_ptr<Teaching> open_teaching(const Recipe& recipe, const data::Task& task,
                                        const std::string& run_folder, cluster::Communicator& communicator,
                                        const cluster::Placement& placement, cluster::FileSystem& files,
                                        cluster::Log& log) {
  if (recipe.teacher.loss == "none") return nullptr;
  auto teaching = std::make_unique<Teaching>();
  TeacherRecord& record = teaching->record;
  record = record_of(recipe, *task.train);
  const bool replay = !recipe.teacher.logits.empty();
  if (replay) {
    make_logits(recipe, task, communicator, placement, files, log);
    open_replayed(*teaching, recipe, task, communicator, files, log);
  } else {
    open_live(*teaching, recipe, *task.train, communicator, placement, files, log);
  }
  const auto before = earlier_record(run_folder, communicator, files);
  if (before) {
    // What a file does not say, and its teacher no longer can, is as it was.
    if (record.digest.empty()) record.digest = before->digest;
    if (record.crc32 == 0) record.crc32 = before->crc32;
  }
  if (before && before->digest != record.digest)
    throw UsageError("the teacher is not the one that this run began with: its weights are others",
                     recipe.places.at(recipe.teacher.run.empty() ? "teacher.logits" : "teacher.run"),
                     "bring the old ones back, or start another run");
  record.gamma = before   ? before->gamma
                 : replay ? replayed_gamma(recipe, *task.train, *teaching->replayed, communicator)
                          : live_gamma(recipe, task, *teaching->live, communicator, placement, log);
  return teaching;
}

}  // namespace smoothlab::trainer
