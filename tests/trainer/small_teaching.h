#pragma once

#include <algorithm>
#include <string>

#include "models/safetensors.h"
#include "trainer/checkpoint.h"
#include "trainer/small_run.h"
#include "trainer/teacher_record.h"

namespace smoothlab::trainer {

/// A teacher of a few steps, another network than its student.
inline Recipe small_teacher_recipe() {
  Recipe recipe = small_recipe();
  recipe.model = {};
  recipe.model.name = "resnet8";
  recipe.train.steps = 6;
  recipe.train.ema = 0;
  recipe.evaluate.every = 0;
  return recipe;
}

inline Recipe small_student_recipe(const std::string& teacher) {
  Recipe recipe = small_recipe();
  recipe.targets.alpha = 0.05;
  recipe.teacher.loss = "hinton";
  recipe.teacher.run = teacher;
  recipe.teacher.beta = 0.7;
  recipe.teacher.temperature = 2;
  recipe.task.augment.draws = 3;
  return recipe;
}

inline models::TensorFile weights_of(const std::string& run, int64_t step) {
  return models::read_safetensors(*cluster::local_file_system(),
                                  run + "/checkpoints/" + checkpoint_name(step) + "/weights.safetensors");
}

inline void expect_same_weights(const std::string& a, const std::string& b, int64_t step) {
  const auto of_a = weights_of(a, step), of_b = weights_of(b, step);
  for (const auto& [name, tensor] : of_a.tensors) EXPECT_TRUE(tensor.equal(of_b.find(name))) << name;
}

inline TeacherRecord teacher_of(const std::string& run) {
  return read_teacher_record(*cluster::local_file_system(), run).value();
}

}  // namespace smoothlab::trainer
