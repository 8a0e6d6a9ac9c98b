#include "trainer/teaching.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "cluster/error.h"
#include "data/digest.h"
#include "eval/compact_logits.h"
#include "eval/foreign_file.h"
#include "eval/logit_file.h"
#include "support/temporary_folder.h"
#include "trainer/loaded_run.h"
#include "trainer/run_parts.h"
#include "trainer/run_plan.h"
#include "trainer/small_teaching.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

class TeachingTest : public testing::Test {
 protected:
  TeachingTest() {
    use_one_core();
    run(small_teacher_recipe(), "teacher");
  }
  RunOutcome run(const Recipe& recipe, const std::string& name, bool resume = false) {
    return run_to_end(recipe, folder / name, resume, *communicator, *files);
  }
  /// What opening a student's teacher says.
  template <typename Error>
  std::string refused(const Recipe& recipe) {
    try {
      check_teaching(recipe, open_task_of(recipe));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::unique_ptr<cluster::Communicator> communicator = cluster::make_solo_communicator();
};

TEST_F(TeachingTest, ReplayIsLiveBitForBit) {
  for (const char* loss : {"paper", "hinton", "logit-mse"}) {
    Recipe live = small_student_recipe(folder / "teacher");
    live.teacher.loss = loss;
    if (live.teacher.loss == "logit-mse") live.teacher.temperature = 1;
    Recipe replay = live;
    replay.teacher.logits = folder / "teacher.h5";
    const std::string a = folder / (std::string("live-") + loss),
                      b = folder / (std::string("replay-") + loss);
    run_to_end(live, a, false, *communicator, *files);
    run_to_end(replay, b, false, *communicator, *files);
    expect_same_weights(a, b, 20);
    EXPECT_EQ(timeless_metrics(a), timeless_metrics(b));
    EXPECT_EQ(teacher_of(a).digest, teacher_of(b).digest);
    EXPECT_DOUBLE_EQ(teacher_of(a).gamma, teacher_of(b).gamma);
    EXPECT_TRUE(teacher_of(b).replayed);
  }
  EXPECT_EQ(eval::LogitFile(folder / "teacher.h5").rows(), 69 * 3);
}

TEST_F(TeachingTest, AFileReplaysWithoutItsTeacher) {
  Recipe replay = small_student_recipe(folder / "teacher");
  replay.teacher.logits = folder / "logits/teacher.h5";
  run(replay, "a");
  files->remove_all(folder / "teacher");
  replay.teacher.run.clear();
  run(replay, "b");
  expect_same_weights(folder / "a", folder / "b", 20);
  EXPECT_EQ(teacher_of(folder / "b").model, "resnet8");
  EXPECT_EQ(teacher_of(folder / "b").alpha, 0.1);
  EXPECT_EQ(teacher_of(folder / "b").step, 6);
}

TEST_F(TeachingTest, GoesOnBitwiseInAnotherSitting) {
  const Recipe whole = small_student_recipe(folder / "teacher");
  run(whole, "whole");
  Recipe part = whole;
  part.checkpoint.keep = 1000;
  run(part, "part");
  for (const int64_t step : {12, 16, 20})
    files->remove_all(folder / "part/checkpoints/" + checkpoint_name(step));
  EXPECT_EQ(run(whole, "part", true), RunOutcome::finished);
  expect_same_runs(folder / "whole", folder / "part", 20);
}

TEST_F(TeachingTest, AnotherTeacherInALaterSittingIsRefused) {
  Recipe student = small_student_recipe(folder / "teacher");
  run(student, "student");
  files->remove_all(folder / "student/checkpoints/step-20");
  Recipe other = small_teacher_recipe();
  other.train.seed = 5;
  files->remove_all(folder / "teacher");
  run(other, "teacher");
  try {
    run(student, "student", true);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not the one that this run began with"));
  }
}

/// γ by the book: the teacher's own softmax of the inputs of the first epoch.
TEST_F(TeachingTest, GammaIsTheMassOffTheTrueClass) {
  const Recipe student = small_student_recipe(folder / "teacher");
  run(student, "student");
  cluster::Log log(0, true);
  const LoadedRun teacher = load_run(folder / "teacher", {}, *files, log);
  const data::Task task = open_task_of(student);
  double sum = 0;
  for (int64_t i = 0; i < task.train->size(); ++i) {
    const data::Batch batch = task.train->collate({{i, 0}}, data::Augment::training);
    const at::Tensor p =
        at::softmax(teacher.network->forward(batch.inputs, {}).logits.detach().to(at::kDouble) / 2, 1);
    sum += 1 - p[0][batch.labels[0].item<int64_t>()].item<double>();
  }
  const TeacherRecord record = teacher_of(folder / "student");
  EXPECT_NEAR(record.gamma, sum / 69 * 4 / 3, 1e-6);
  EXPECT_EQ(record.samples, 69);
  EXPECT_EQ(record.digest,
            data::file_digest(folder / "teacher/checkpoints/step-6/weights.safetensors", "sha256"));
}

TEST_F(TeachingTest, ALossWithoutTheTeachersShareIsThatOfTargets) {
  Recipe taught = small_student_recipe(folder / "teacher"), alone = taught;
  taught.teacher.beta = 0;
  alone.teacher = {};
  run(taught, "taught");
  run(alone, "alone");
  const auto a = weights_of(folder / "taught", 20), b = weights_of(folder / "alone", 20);
  for (const auto& [name, tensor] : a.tensors)
    EXPECT_TRUE(at::allclose(tensor, b.find(name), 1e-5, 1e-6)) << name;
}

TEST_F(TeachingTest, ATeacherIsARunACheckpointOrAFile) {
  const std::string checkpoint = folder / "teacher/checkpoints/step-6";
  files->make_folders(folder / "alone");
  const std::string file = folder / "alone/weights-of-teacher.safetensors";
  std::filesystem::copy(checkpoint + "/weights.safetensors", file);
  for (const std::string& from :
       {std::string(folder / "teacher"), checkpoint, checkpoint + "/weights.safetensors", file}) {
    EXPECT_EQ(refused<Error>(small_student_recipe(from)), "") << from;
    run(small_student_recipe(from), "student-of-" + std::to_string(std::hash<std::string>()(from)));
  }
  Recipe mlp = small_recipe();
  mlp.model.hidden = {7, 5};
  mlp.train.ema = 0;
  run(mlp, "mlp");
  std::filesystem::copy(folder / "mlp/checkpoints/step-20/weights.safetensors",
                        folder / "alone/mlp.safetensors");
  EXPECT_EQ(refused<Error>(small_student_recipe(folder / "alone/mlp.safetensors")), "")
      << "the units of its layers are in its shapes";
}

TEST_F(TeachingTest, ATeacherOfOtherInputsIsRefused) {
  Recipe classes = small_student_recipe(folder / "teacher");
  classes.task.classes = 5;
  EXPECT_THAT(refused<UsageError>(classes), HasSubstr("the teacher has 4 classes, the student's data 5"));
  Recipe crop = small_student_recipe(folder / "teacher");
  crop.task.augment.crop = 24;
  EXPECT_THAT(refused<UsageError>(crop), HasSubstr("the teacher takes inputs 3x32x32, the student 3x24x24"));
  Recipe normalize = small_student_recipe(folder / "teacher");
  normalize.task.augment.normalize = "per_image";
  EXPECT_THAT(refused<UsageError>(normalize), HasSubstr("normalize: unit, the student's have per_image"));
}

TEST_F(TeachingTest, ATeacherThatIsNotThereOrDamagedIsRefused) {
  EXPECT_THAT(refused<DataError>(small_student_recipe(folder / "nobody")), HasSubstr("no such teacher"));
  files->make_folders(folder / "empty");
  EXPECT_THAT(refused<DataError>(small_student_recipe(folder / "empty")),
              HasSubstr("neither a run nor a checkpoint"));
  const std::string weights = folder / "teacher/checkpoints/step-6/weights.safetensors";
  // As long as before: only the manifest knows.
  std::string bytes = files->read(weights);
  bytes[bytes.size() - 20] = static_cast<char>(~bytes[bytes.size() - 20]);
  cluster::write_file_whole(*files, weights, bytes);
  for (const std::string& from : {std::string(folder / "teacher/checkpoints/step-6"), weights})
    EXPECT_THAT(refused<DataError>(small_student_recipe(from)), HasSubstr("checkpoint is damaged")) << from;
  files->remove_all(folder / "teacher/checkpoints/step-4");
  EXPECT_THAT(refused<DataError>(small_student_recipe(folder / "teacher")),
              HasSubstr("all 1 checkpoints are damaged"));
}

TEST_F(TeachingTest, AFileOfOtherLogitsIsRefused) {
  Recipe student = small_student_recipe(folder / "teacher");
  student.teacher.logits = folder / "teacher.h5";
  run(student, "student");

  Recipe seed = student;
  seed.train.seed = 2;
  EXPECT_THAT(refused<DataError>(seed), HasSubstr("of other inputs"));
  seed.task.augment.seed = 1;
  EXPECT_EQ(refused<Error>(seed), "") << "only the order and the weights are others now";
  Recipe draws = student;
  draws.task.augment.draws = 2;
  EXPECT_THAT(refused<DataError>(draws), HasSubstr("draws: 3"));
  Recipe plain = student;
  plain.task.augment = {};
  EXPECT_THAT(refused<DataError>(plain), HasSubstr("the student's: as they are"));
  Recipe images = student;
  images.task.data_seed = 9;
  EXPECT_THAT(refused<DataError>(images), HasSubstr("of other samples"));
  Recipe labels = student;
  labels.task.validation = 20;
  EXPECT_THAT(refused<DataError>(labels), HasSubstr("of other samples"));
  labels.task.validation = 30;
  EXPECT_THAT(refused<DataError>(labels), HasSubstr("of other samples"));

  Recipe other = small_teacher_recipe();
  other.train.seed = 5;
  run(other, "other");
  Recipe foreign = student;
  foreign.teacher.run = folder / "other";
  EXPECT_THAT(refused<DataError>(foreign), HasSubstr("not of the weights in"));
  Recipe missing = student;
  missing.teacher.run.clear();
  missing.teacher.logits = folder / "nothing.h5";
  EXPECT_NE(refused<DataError>(missing), "");
}

/// A file that says nothing of where it comes from is held against the student's labels.
TEST_F(TeachingTest, AForeignFileMustHaveEverySampleWithItsLabel) {
  Recipe student = small_student_recipe("");
  student.task.augment = {};
  student.teacher.logits = folder / "foreign.h5";
  const data::Task task = open_task_of(student);
  const auto refuse = [&](int64_t rows, int64_t shift) {
    eval::LogitShape shape;
    shape.rows = rows;
    shape.classes = 4;
    eval::LogitShardWriter writer(student.teacher.logits, shape, {});
    eval::LogitRows batch;
    batch.rows = rows;
    batch.logits.assign(static_cast<size_t>(4 * rows), 0.5F);
    for (int64_t i = 0; i < rows; ++i) {
      batch.labels.push_back((task.train->labels()[i % 69].item<int64_t>() + shift) % 4);
      batch.sample_ids.push_back(i);
    }
    writer.append(std::move(batch));
    writer.close();
    return refused<DataError>(student);
  };
  EXPECT_EQ(refuse(69, 0), "");
  EXPECT_THAT(refuse(60, 0), HasSubstr("0 rows of sample 60"));
  EXPECT_THAT(refuse(70, 0), HasSubstr("row 69 is of sample 69"));
  EXPECT_THAT(refuse(69, 1), HasSubstr("sample 0 has label 1 there"));
}

/// A plain logit file, such as logits.splits leaves it, is replayed where inputs do not vary.
TEST_F(TeachingTest, LogitsOfASplitTeachWhereNothingIsAugmented) {
  Recipe teacher = small_teacher_recipe();
  teacher.task.augment = {};
  teacher.logits.splits = {"train", "validation"};
  run(teacher, "plain");
  Recipe student = small_student_recipe("");
  student.task.augment = {};
  student.teacher.logits = folder / "plain/logits/train.h5";
  EXPECT_EQ(run(student, "student"), RunOutcome::finished);
  student.teacher.run = folder / "plain";
  EXPECT_EQ(refused<Error>(student), "") << "it is of that run's last step";
  EXPECT_EQ(run(student, "again"), RunOutcome::finished);
  EXPECT_NE(teacher_of(folder / "again").digest, "");
  student.task.augment.normalize = "none";
  EXPECT_THAT(refused<DataError>(student), HasSubstr("normalize: unit, the student's have none"));
  student.task.augment.normalize = "unit";
  files->remove_all(folder / "plain/checkpoints");
  EXPECT_EQ(refused<Error>(student), "") << "a whole file does without its teacher's checkpoint";
  student.teacher.run.clear();
  student.teacher.logits = folder / "plain/logits/validation.h5";
  EXPECT_THAT(refused<DataError>(student), HasSubstr("of split 'validation', not 'train'"));
}

TEST_F(TeachingTest, ACapturedStepLearnsTheSame) {
  for (const bool replay : {false, true}) {
    Recipe launched = small_student_recipe(folder / "teacher");
    launched.model.dropout = 0;
    if (replay) launched.teacher.logits = folder / "teacher.h5";
    launched.train.capture = "never";
    Recipe captured = launched;
    captured.train.capture = "always";
    const std::string kind = replay ? "-replay" : "-live";
    run(launched, "launched" + kind);
    run(captured, "captured" + kind);
    expect_same_weights(folder / ("launched" + kind), folder / ("captured" + kind), 20);
  }
}

TEST_F(TeachingTest, ACompactFileTeachesNearlyTheSame) {
  Recipe student = small_student_recipe(folder / "teacher");
  student.teacher.logits = folder / "full.h5";
  run(student, "full");
  const auto errors = eval::compact_logit_file(folder / "full.h5", folder / "top.h5", 2, {2});
  student.teacher.logits = folder / "top.h5";
  EXPECT_EQ(run(student, "compact"), RunOutcome::finished);
  const TeacherRecord full = teacher_of(folder / "full"), compact = teacher_of(folder / "compact");
  EXPECT_EQ(full.digest, compact.digest) << "the file still says whose it is";
  EXPECT_NEAR(compact.gamma, full.gamma, errors[0].total_variation * 4 / 3 + 0.01) << "of one of three draws";
  EXPECT_NE(compact.gamma, full.gamma);
}

TEST_F(TeachingTest, DrawsOfInputsThatDoNotVaryAreOne) {
  Recipe student = small_student_recipe(folder / "teacher");
  student.task.augment = {};
  student.task.augment.draws = 8;
  student.teacher.logits = folder / "plain.h5";
  EXPECT_EQ(run(student, "student"), RunOutcome::finished);
  EXPECT_EQ(eval::LogitFile(folder / "plain.h5").rows(), 69);
}

TEST_F(TeachingTest, AReplayGoesOnWithoutItsTeachersCheckpoints) {
  Recipe teacher = small_teacher_recipe();
  teacher.task.augment = {};
  teacher.logits.splits = {"train"};
  run(teacher, "plain");
  Recipe student = small_student_recipe(folder / "plain");
  student.task.augment = {};
  student.teacher.logits = folder / "plain/logits/train.h5";
  run(student, "student");
  const TeacherRecord before = teacher_of(folder / "student");
  EXPECT_NE(before.crc32, 0U);
  files->remove_all(folder / "plain/checkpoints");
  files->remove_all(folder / "student/checkpoints/step-20");
  EXPECT_EQ(run(student, "student", true), RunOutcome::finished);
  EXPECT_EQ(teacher_of(folder / "student").digest, before.digest);
  EXPECT_EQ(teacher_of(folder / "student").crc32, before.crc32);
}

TEST_F(TeachingTest, ALogitThatIsNoNumberIsTheFilesFault) {
  Recipe student = small_student_recipe("");
  student.task.augment = {};
  student.teacher.logits = folder / "foreign.h5";
  {
    test::ForeignFile file(student.teacher.logits);
    std::vector<float> logits(69 * 4, 0.5F);
    logits[4 * 30 + 1] = std::nanf("");
    const at::Tensor labels = open_task_of(student).train->labels();
    file.dataset("logits", {69, 4}, logits);
    file.dataset("labels", {69},
                 std::vector<int64_t>(labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + 69));
  }
  try {
    run(student, "student");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a logit of sample 30 is no number"));
  }
  EXPECT_FALSE(files->exists(teacher_path(folder / "student")));
}

TEST_F(TeachingTest, WeightsAloneSayHowTheirTeacherWasSmoothed) {
  files->make_folders(folder / "alone");
  const std::string weights = folder / "alone/w.safetensors";
  std::filesystem::copy(folder / "teacher/checkpoints/step-6/weights.safetensors", weights);
  run(small_student_recipe(weights), "student");
  EXPECT_EQ(teacher_of(folder / "student").alpha, 0.1);
  models::TensorFile foreign = models::read_safetensors(*files, weights);
  foreign.metadata = {{"network", "resnet8"}};
  models::write_safetensors(*files, weights, foreign);
  run(small_student_recipe(weights), "other");
  EXPECT_FALSE(teacher_of(folder / "other").alpha) << "unknown is not 0";
  Recipe replay = small_student_recipe(weights);
  replay.teacher.logits = folder / "foreign.h5";
  run(replay, "replay");
  EXPECT_FALSE(teacher_of(folder / "replay").alpha);
}

TEST_F(TeachingTest, ATeacherThatGivesNoNumbersIsNamed) {
  files->make_folders(folder / "broken");
  const std::string weights = folder / "broken/w.safetensors";
  models::TensorFile contents = weights_of(folder / "teacher", 6);
  contents.find("classifier.bias").fill_(std::nan(""));
  models::write_safetensors(*files, weights, contents);
  try {
    run(small_student_recipe(weights), "student");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("w.safetensors"), HasSubstr("take another teacher")));
  }
}

TEST_F(TeachingTest, TheNewestWholeCheckpointTeaches) {
  const std::string path = folder / "teacher";
  const uint32_t newest = weights_crc32(path + "/checkpoints/step-6", *files).value();
  const uint32_t earlier = weights_crc32(path + "/checkpoints/step-4", *files).value();
  EXPECT_EQ(still_teaches(path, newest, *files), true);
  EXPECT_EQ(still_teaches(path, earlier, *files), false);
  files->truncate(path + "/checkpoints/step-6/weights.safetensors", 100);
  EXPECT_EQ(still_teaches(path, earlier, *files), true) << "the newest is damaged";
  files->remove_all(path + "/checkpoints");
  EXPECT_FALSE(still_teaches(path, earlier, *files)) << "nobody knows";
}

TEST_F(TeachingTest, APlanKnowsItsTeacher) {
  EXPECT_EQ(plan_run(small_student_recipe(folder / "teacher"), 2).steps, 20);
  EXPECT_THROW(plan_run(small_student_recipe(folder / "nobody"), 1), DataError);
}

}  // namespace
}  // namespace smoothlab::trainer
