#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/task.h"
#include "models/network.h"
#include "trainer/recipe_places.h"

namespace smoothlab::trainer {

/// `targets:`. What the network is trained towards.
struct TargetOptions {
  double alpha = 0;
  /// "uniform": α/K everywhere, true class 1−α+α/K (the paper, PyTorch, Marian). "off-target": α/(K−1) off
  /// the true class, 1−α on it (tensor2tensor, fairseq). "joeynmt": α/(K−2), padding class 0; not for images,
  /// which have no such class. "unigram": α·(class frequency), 1−α more on the true class.
  std::string convention = "uniform";
  double confidence_penalty = 0;  ///< β of Pereyra et al. 2017: loss − β·H(p)
  double disturb_label = 0;       ///< DisturbLabel (Xie et al. 2016): probability of drawing a uniform label
};

/// `teacher:`. A trained network whose outputs are learnt beside the targets (paper sec. 4): the loss of a
/// row is (1 − beta)·(that of `targets`) + beta·(that against the teacher).
struct TeacherOptions {
  std::string loss = "none";  ///< "none": there is no teacher; "paper", "hinton", "logit-mse": see
                              ///< distillation_loss.h
  std::string run;            ///< a run's folder, one of its checkpoints', or a weights file (.safetensors)
  std::string logits;         ///< a logit file that is replayed; made from `run` where it is not there yet
  double beta = 1;
  double temperature = 1;  ///< T, not of "logit-mse"
};

/// `optimizer:`.
struct OptimizerOptions {
  std::string name = "sgd";  ///< "sgd", "adam", "rmsprop", "smoothed-sgd"
  double lr = 0.1;
  double momentum = 0;  ///< m: sgd v ← m·v + g; smoothed-sgd v ← m·v + (1−m)·g, m = 0.9 where 0 is given
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< adam; rmsprop uses epsilon
  double decay = 0.9;                                 ///< rmsprop: of the mean square
  bool epsilon_inside =
      false;  ///< rmsprop: √(mean square + ε), mean square from 1, as TensorFlow; else √(·) + ε
  double weight_decay = 0;  ///< adds wd·w to the gradient of every weight matrix and kernel
  bool decoupled = false;   ///< weight decay apart from the gradient (AdamW)
  bool decay_norm_and_bias = false;
  double clip_norm = 0;  ///< global L2 norm; 0: off
  struct Group {
    std::string match;  ///< names that begin with this, or a glob with *
    double lr_scale = 1;
    double weight_decay = -1;  ///< of all its parameters, biases and norms too; −1: as above
  };
  std::vector<Group> groups;  ///< first match counts
};

/// `schedule:`. Factor on the learning rate at a step.
struct ScheduleOptions {
  std::string name = "constant";  ///< constant, step, linear, cosine, exponential, inverse-square-root
  std::string unit = "steps";     ///< what at, every and warmup count: steps, epochs
  std::vector<int64_t> at;        ///< step: boundaries
  double factor = 0.1;            ///< step, exponential
  int64_t every = 0;              ///< exponential: between two factors
  bool staircase = false;
  double final_factor = 0;  ///< linear, cosine
  int64_t warmup = 0;       ///< of linear warm-up from nothing
};

/// `train:`.
struct TrainOptions {
  int64_t steps = 0;
  int64_t epochs = 0;  ///< in place of steps
  int64_t global_batch = 128;
  int64_t global_tokens = 0;  ///< padded tokens of a step in place of samples; see data/batch_order.h
  int64_t micro_batch = 0, micro_tokens = 0;
  uint64_t seed = 1;
  std::string precision = "fp32";  ///< fp32, tf32 (on CUDA; else fp32), bf16
  bool channels_last = true;
  double loss_scale = 1;    ///< factor on the loss, as the paper's ×3
  double ema = 0;           ///< decay of the average of the weights; 0: none
  bool ema_warmup = false;  ///< decay min(ema, (1+n)/(10+n)) at update n
  std::string device = "auto";
  /// Whether one captured step is repeated where it can stand for all: auto (on CUDA), never, always.
  std::string capture = "auto";
  int workers = 0;  ///< threads of a rank that load and augment; 0: as data::loading_workers()
  int64_t bucket_bytes = 25 << 20;
  std::string allreduce = "fp32";  ///< in what ranks exchange gradients: fp32, bf16
  int64_t log_every = 50;
};

/// `evaluate:`.
struct EvaluateOptions {
  int64_t every = 0;                 ///< steps; 0: only at the end
  std::string split = "validation";  ///< falls back to test where nothing is held out
  int64_t batch = 250;
};

/// `logits:`. The logit files that a run leaves: of each split SPLIT.h5 at the end and step-N-SPLIT.h5 on the
/// way, a trajectory.
struct LogitOptions {
  std::vector<std::string> splits;    ///< as evaluate.split; empty: none
  int64_t every = 0;                  ///< steps; 0: only at the end
  std::vector<int64_t> at;            ///< steps beside those; 0: before the first
  std::string keep = "full";          ///< full, summary (eval/logit_summary.h)
  bool penultimate = true;            ///< of full ones
  std::string precision = "float32";  ///< float32, float16; of full ones
};

/// `information:`. What the mutual information of a training example and the network's output is estimated
/// from (paper Sec. 3.2, fig. 6): logits of examples of two classes, each under several draws of the
/// augmentation.
struct InformationOptions {
  std::vector<std::string> classes;  ///< names of two; empty: none of it
  int64_t every = 0;                 ///< steps; 0: only at the end
  int64_t examples = 300;            ///< of each class, the first of the training split
  int64_t draws = 5;
};

/// `checkpoint:`.
struct CheckpointOptions {
  int64_t every = 0;  ///< steps; 0: only at the end
  int64_t keep = 2;
  std::string best = "none";  ///< by what the one that stands for the run is chosen; see checkpoint_choice.h
};

/// A whole run. Read strictly: an unknown key, a wrong type, an impossible value, or a value other than the
/// default for a key that does not belong to the chosen name ("factor" of schedule "cosine") is a UsageError
/// that names file, line, key and the nearest valid key.
struct Recipe {
  data::TaskOptions task;
  models::NetworkOptions model;
  TargetOptions targets;
  TeacherOptions teacher;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  TrainOptions train;
  EvaluateOptions evaluate;
  LogitOptions logits;
  InformationOptions information;
  CheckpointOptions checkpoint;
  RecipePlaces places;  ///< where the text gave its keys; no part of what the recipe says
};

/// Reads a recipe file, applies `key.sub=value` overrides, expands ${VARIABLES} in strings, checks values.
Recipe read_recipe(const std::string& path, const std::vector<std::string>& overrides);
/// The same from text; `name` stands for the file in errors.
Recipe parse_recipe(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides);
/// Every key that means something in this recipe with its value, as YAML; parse_recipe of it gives the same
/// recipe.
std::string resolved_recipe(const Recipe& recipe);
/// Hex SHA-256 of the resolved text.
std::string recipe_hash(const Recipe& recipe);
/// Every key with type, default and meaning, for people: plain text, or the tables of docs/recipes.md.
std::string recipe_help(bool markdown);

}  // namespace smoothlab::trainer
