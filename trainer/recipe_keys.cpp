#include "trainer/recipe_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::trainer {
namespace {

/// What a value must be beside its type.
template <typename T>
struct Limit {
  std::string text;  ///< "0 to 1"; empty: anything
  std::function<bool(const T&)> holds;
  std::function<std::string(const T&)> remedy;
  std::string type = {};  ///< what people call such a value, where not by T
};

struct Any {};
struct Between {
  double low, high;
};
struct Above {
  double low;
};
struct AtLeast {
  double low;
};
/// low ≤ value < high.
struct HalfOpen {
  double low, high;
};
struct OneOf {
  std::vector<std::string> names;
};
/// Text that what it names checks; `names` tell people of the values.
struct NamesOf {
  std::string names;
};
struct Increasing {};
struct NotEmpty {};
/// At least 0 and increasing.
struct NotFalling {};
/// Some of these names, each once.
struct ListOf {
  std::vector<std::string> names;
};
/// Two different names, or none.
struct Pair {};
struct AtLeastZeroOrMinusOne {};

template <typename T>
Limit<T> limit(Any) {
  return {"", [](const T&) { return true; }, {}};
}
template <typename T>
Limit<T> limit(Between b) {
  return {fmt::format("{} to {}", b.low, b.high), [b](const T& v) { return v >= b.low && v <= b.high; }, {}};
}
template <typename T>
Limit<T> limit(Above b) {
  return {fmt::format("above {}", b.low), [b](const T& v) { return v > b.low; }, {}};
}
template <typename T>
Limit<T> limit(AtLeast b) {
  return {fmt::format("at least {}", b.low), [b](const T& v) { return static_cast<double>(v) >= b.low; }, {}};
}
template <typename T>
Limit<T> limit(HalfOpen b) {
  return {fmt::format("from {} to below {}", b.low, b.high),
          [b](const T& v) { return v >= b.low && v < b.high; },
          {}};
}
template <typename T>
Limit<T> limit(const OneOf& one) {
  return {fmt::format("{}", fmt::join(one.names, ", ")),
          [one](const T& v) { return std::find(one.names.begin(), one.names.end(), v) != one.names.end(); },
          [one](const T& v) { return suggest_name(v, one.names); }, "one of"};
}
template <typename T>
Limit<T> limit(Increasing) {
  return {"positive and increasing",
          [](const T& v) {
            return (v.empty() || v.front() > 0) &&
                   std::adjacent_find(v.begin(), v.end(), std::greater_equal<>()) == v.end();
          },
          {}};
}
template <typename T>
Limit<T> limit(const NamesOf& one) {
  return {one.names, [](const T&) { return true; }, {}, "one of"};
}
template <typename T>
Limit<T> limit(NotEmpty) {
  return {"not empty", [](const T& v) { return !v.empty(); }, {}};
}

template <typename T>
Limit<T> limit(NotFalling) {
  return {"at least 0 and increasing",
          [](const T& v) {
            return (v.empty() || v.front() >= 0) &&
                   std::adjacent_find(v.begin(), v.end(), std::greater_equal<>()) == v.end();
          },
          {}};
}

/// The first name that is not allowed where it stands; empty where all are.
std::string first_wrong(const std::vector<std::string>& values, const std::vector<std::string>& names) {
  for (auto value = values.begin(); value != values.end(); ++value)
    if (std::find(names.begin(), names.end(), *value) == names.end() ||
        std::find(values.begin(), value, *value) != value)
      return *value;
  return "";
}

template <typename T>
Limit<T> limit(const ListOf& list) {
  return {fmt::format("{}", fmt::join(list.names, ", ")),
          [list](const T& v) { return first_wrong(v, list.names).empty(); },
          [list](const T& v) {
            const std::string wrong = first_wrong(v, list.names);
            const bool known = std::find(list.names.begin(), list.names.end(), wrong) != list.names.end();
            return known ? fmt::format("give '{}' once", wrong) : suggest_name(wrong, list.names);
          },
          "list of some of"};
}

template <typename T>
Limit<T> limit(Pair) {
  return {"two different ones, or none",
          [](const T& v) { return v.empty() || (v.size() == 2 && v[0] != v[1]); },
          {}};
}

template <typename T>
Limit<T> limit(AtLeastZeroOrMinusOne) {
  return {"at least 0, or -1", [](const T& v) { return v >= 0 || v == -1; }, {}};
}

std::string write_groups(const std::vector<OptimizerOptions::Group>& groups) {
  std::vector<std::string> entries;
  for (const auto& group : groups) {
    std::vector<std::string> pairs;
    for (const auto& key : group_keys()) pairs.push_back(key.path + ": " + key.write(group));
    entries.push_back(fmt::format("{{{}}}", fmt::join(pairs, ", ")));
  }
  return fmt::format("[{}]", fmt::join(entries, ", "));
}

void read_group(const YAML::Node& node, const Place& place, const std::string& key,
                OptimizerOptions::Group& group) {
  if (!node.IsMap())
    throw UsageError(fmt::format("'{}' must be a map", key), place.at(key),
                     "write it as {match: fc*, lr_scale: 0.1}");
  std::vector<std::string> names, seen;
  for (const auto& known : group_keys()) names.push_back(known.path);
  for (const auto& pair : node) {
    const std::string name = key_text(pair.first);
    const Place here =
        place.command_line ? place : place_of(pair.first, place.source.substr(0, place.source.rfind(':')));
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end())
      throw UsageError(fmt::format("unknown key '{}'", name), here.at(key + "." + name),
                       suggest_name(name, names));
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw UsageError(fmt::format("key '{}' is given twice", name), here.at(key + "." + name), "keep one");
    seen.push_back(name);
    try {
      group_keys()[static_cast<size_t>(known - names.begin())].read(group, pair.second, here);
    } catch (const UsageError& e) {
      throw UsageError(e.problem(), here.at(key + "." + name), e.remedy());
    }
  }
  if (group.match.empty())
    throw UsageError("a group without 'match'", place.at(key), "say which parameters it is for");
}

}  // namespace

// Not in the unnamed namespace, where they would hide the overloads of strict_yaml.h.
static void read_value(const YAML::Node& node, const Place& place, const std::string& key,
                       std::vector<OptimizerOptions::Group>& groups) {
  if (!node.IsSequence())
    throw UsageError(fmt::format("'{}' must be a list of maps", key), place.at(key),
                     "write it as [{match: fc*, lr_scale: 0.1}]");
  std::vector<OptimizerOptions::Group> parsed(node.size());
  for (size_t i = 0; i < parsed.size(); ++i)
    read_group(node[i], place, fmt::format("{}[{}]", key, i), parsed[i]);
  groups = std::move(parsed);
}
static std::string write_value(const std::vector<OptimizerOptions::Group>& groups) {
  return write_groups(groups);
}
static const char* type_name(const std::vector<OptimizerOptions::Group>&) {
  return "list of maps of match, lr_scale, weight_decay";
}

namespace {

template <typename Root, typename Access, typename Bound>
Key<Root> key(const std::string& path, Access access, const Bound& bound, const std::string& meaning) {
  using T = std::decay_t<decltype(access(std::declval<Root&>()))>;
  const Limit<T> allowed = limit<T>(bound);
  const std::string type =
      allowed.type.empty() ? type_name(T{}) + std::string(allowed.text.empty() ? "" : ",") : allowed.type;
  return {path, allowed.text.empty() ? type : type + " " + allowed.text, meaning,
          [=](Root& root, const YAML::Node& node, const Place& place) {
            T value{};
            read_value(node, place, path, value);
            if (!allowed.holds(value))
              throw UsageError(
                  fmt::format("'{}' is {}", path, write_value(value)), place.at(path),
                  allowed.remedy ? allowed.remedy(value) : fmt::format("it must be {}", allowed.text));
            access(root) = value;
          },
          [=](const Root& root) { return write_value(access(root)); }};
}

}  // namespace

std::string block_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

const std::vector<Key<OptimizerOptions::Group>>& group_keys() {
  using Group = OptimizerOptions::Group;
  static const std::vector<Key<Group>> keys = {
      key<Group>(
          "match", [](auto& g) -> auto& { return g.match; }, NotEmpty{},
          "names of parameters that begin with this, or a glob with *"),
      key<Group>(
          "lr_scale", [](auto& g) -> auto& { return g.lr_scale; }, AtLeast{0},
          "factor on the learning rate; 0 freezes"),
      key<Group>(
          "weight_decay", [](auto& g) -> auto& { return g.weight_decay; }, AtLeastZeroOrMinusOne{},
          "of all that match, biases and norms too, in place of optimizer.weight_decay; -1: that one"),
  };
  return keys;
}

// One line a key is what makes this a table; clang-format would take six.
// clang-format off
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name
#define FIELD(member) [](auto& r) -> auto& { return r.member; }
#define KEY(member, bound, meaning) key<Recipe>(#member, FIELD(member), bound, meaning)

const std::vector<Key<Recipe>>& recipe_keys() {
  static const std::vector<Key<Recipe>> keys = {
      KEY(task.data, (OneOf{{"mnist", "idx", "cifar10", "cifar100", "imagenet", "generated", "generated_text", "text"}}),
          "data set; required; generated ones need no files; text: sentence pairs that `data prepare text` made; imagenet: "
          "images that `data prepare imagenet` indexed, the test split being the official validation images"),
      KEY(task.path, Any{}, "folder of its files; ${VARIABLES} are expanded; not used by generated ones"),
      KEY(task.validation, AtLeast{0}, "training samples held out, the last ones; imagenet: chosen by data_seed"),
      KEY(task.damaged, (Between{0, 1}),
          "imagenet: share of a split's images that may turn out damaged; another of its class stands in for each"),
      KEY(task.classes, AtLeast{4}, "generated: number of classes"),
      KEY(task.train_samples, AtLeast{1}, "generated, generated_text: size of the training split"),
      KEY(task.test_samples, AtLeast{1}, "generated, generated_text: size of the test split"),
      KEY(task.noise, (Between{0, 255}), "generated: strength of the noise; 0: its default"),
      KEY(task.data_seed, Any{}, "generated, generated_text: seed of the samples, apart from train.seed; imagenet: of what is held out or stands in"),
      KEY(task.augment.pad, AtLeast{0}, "zero pixels added on each side before the crop"),
      KEY(task.augment.crop, AtLeast{0}, "side of the crop, random in training, else central; 0: none"),
      KEY(task.augment.flip, Any{}, "mirror left-right with probability one half"),
      KEY(task.augment.shift, AtLeast{0}, "move by up to so many pixels either way, all equiprobable"),
      KEY(task.augment.brightness, AtLeast{0}, "add uniform(-b, b) on the 0...255 scale"),
      KEY(task.augment.contrast_low, Above{0}, "scale around the channel mean by uniform(low, high)"),
      KEY(task.augment.contrast_high, Above{0}, "see contrast_low"),
      KEY(task.augment.draws, AtLeast{0}, "epochs after which the augmentations of a sample come again; 0: never"),
      KEY(task.augment.seed, Any{}, "of the augmentation; 0: train.seed"),
      KEY(task.augment.normalize, (OneOf{{"unit", "per_image", "inception", "imagenet", "none"}}),
          "unit: /255; per_image: zero mean and unit variance, not of imagenet; none: 0...255; of imagenet alone: "
          "inception: -1...1; imagenet: by the set's mean and deviation"),
      KEY(task.augment.size, (Between{1, 4096}), "imagenet: side of the input"),
      KEY(task.augment.area_low, (Between{0.0001, 1}), "imagenet: least area of the random crop, a share of the image's"),
      KEY(task.augment.area_high, (Between{0.0001, 1}), "imagenet: largest area of the random crop"),
      KEY(task.augment.aspect_low, Above{0}, "imagenet: least width / height of the random crop"),
      KEY(task.augment.aspect_high, Above{0}, "imagenet: largest width / height of the random crop"),
      KEY(task.augment.jitter, AtLeast{0},
          "imagenet: change brightness, contrast and saturation, in any order, by factors of uniform(1-j, 1+j); timm: 0.4"),
      KEY(task.augment.centre, (Between{0.01, 1}), "imagenet: share of the sides that evaluation looks at, in the middle"),
      KEY(task.augment.centre_shape, (OneOf{{"as_image", "square"}}),
          "imagenet: as_image: of either side, as TensorFlow; square: of the shorter one both ways, as timm"),
      KEY(task.augment.filter, (OneOf{{"bilinear", "bicubic"}}), "imagenet: of resizing, antialiased as PIL's"),
      KEY(task.augment.scaled_decoding, Any{},
          "imagenet: crops of twice the input's size and more are made smaller while they are decoded; false: exactly as PIL"),

      KEY(model.name, (NamesOf{"mlp, alexnet_tutorial, resnetN, resnetN_t2t, resnet50_imagenet, inception_v4, transformer_SIZE"}),
          "network; required; N = 6n+2 from 8 to 1202, such as 20, 32, 44, 56 or 110; SIZE: tiny, small, base or big"),
      KEY(model.hidden, Any{}, "mlp: units of the hidden layers, as [800, 800]; []: 1200 and 1200"),
      KEY(model.dropout, (HalfOpen{0, 1}),
          "mlp: probability of dropping a hidden unit; inception_v4: a penultimate one, 0.2 in TF-slim; "
          "transformers: of embeddings and of what a sub-layer adds"),
      KEY(model.input_dropout, (HalfOpen{0, 1}), "mlp: probability of dropping an input"),
      KEY(model.initialisation, (NamesOf{"variance-0.03, deviation-0.03"}),
          "mlp: of its weights; the network's own without it"),
      KEY(model.auxiliary_head, Any{},
          "inception_v4: a second classifier before the last reduction, whose loss counts 0.4 while training"),

      KEY(model.form, (NamesOf{"paper-2017, t2t"}),
          "transformers; required; paper-2017: sums are normalised; t2t: inputs of sub-layers are, as in tensor2tensor"),
      KEY(model.layers, AtLeast{0}, "transformers: of each stack; 0: as the size has"),
      KEY(model.width, AtLeast{0}, "transformers: of embeddings and of the residual stream; 0: as the size has"),
      KEY(model.feed_forward, AtLeast{0}, "transformers: units of the hidden layers; 0: as the size has"),
      KEY(model.heads, AtLeast{0}, "transformers: of each attention; 0: as the size has"),
      KEY(model.attention_dropout, (HalfOpen{0, 1}), "transformers: probability of dropping an attention weight"),
      KEY(model.relu_dropout, (HalfOpen{0, 1}), "transformers: probability of dropping a hidden unit"),

      KEY(targets.alpha, (Between{0, 1}), "label smoothing"),
      KEY(targets.convention, (OneOf{{"uniform", "off-target", "unigram", "joeynmt"}}),
          "uniform: alpha/K everywhere; off-target: alpha/(K-1) off the true class; unigram: by class "
          "frequency; joeynmt: alpha/(K-2), none for the padding class, which texts alone have"),
      KEY(targets.confidence_penalty, AtLeast{0}, "beta of Pereyra et al. 2017: loss - beta * entropy"),
      KEY(targets.disturb_label, (Between{0, 1}),
          "DisturbLabel (Xie et al. 2016): probability of drawing the label anew from all classes"),

      KEY(teacher.loss, (OneOf{{"none", "paper", "hinton", "logit-mse"}}),
          "what is learnt from a teacher; paper: cross-entropy with its softmax at the temperature; hinton: both softmax "
          "at the temperature, times its square; logit-mse: half the mean squared difference of logits; none: no teacher"),
      KEY(teacher.run, Any{}, "the teacher: folder of a run or of a checkpoint, or a .safetensors file"),
      KEY(teacher.logits, Any{},
          "logit file that is replayed in place of the teacher; where it is not there yet it is made, from teacher.run"),
      KEY(teacher.beta, (Between{0, 1}), "share of the teacher in the loss; the rest is that of targets"),
      KEY(teacher.temperature, Above{0}, "paper, hinton: of the teacher's softmax"),

      KEY(optimizer.name, (OneOf{{"sgd", "adam", "rmsprop", "smoothed-sgd"}}),
          "smoothed-sgd: steps along momentum * previous + (1 - momentum) * current gradient"),
      KEY(optimizer.lr, Above{0}, "learning rate, before schedule and groups"),
      KEY(optimizer.momentum, (HalfOpen{0, 1}), "sgd, rmsprop: buffer = momentum * buffer + gradient; smoothed-sgd: see there, 0 means 0.9"),
      KEY(optimizer.nesterov, Any{}, "sgd: Nesterov's momentum"),
      KEY(optimizer.beta1, (HalfOpen{0, 1}), "adam: decay of the first moment"),
      KEY(optimizer.beta2, (HalfOpen{0, 1}), "adam: decay of the second moment"),
      KEY(optimizer.epsilon, Above{0}, "adam, rmsprop: added to the root of the second moment"),
      KEY(optimizer.decay, (HalfOpen{0, 1}), "rmsprop: decay of the mean square"),
      KEY(optimizer.epsilon_inside, Any{},
          "rmsprop: epsilon under the root, mean square from 1, momentum over lr-scaled steps, as TensorFlow"),
      KEY(optimizer.weight_decay, AtLeast{0}, "adds weight_decay * weight to the gradient of weights and kernels"),
      KEY(optimizer.decoupled, Any{}, "weight decay apart from the gradient, times the learning rate (AdamW)"),
      KEY(optimizer.decay_norm_and_bias, Any{}, "weight decay on biases and normalisation too"),
      KEY(optimizer.clip_norm, AtLeast{0}, "largest L2 norm of the whole gradient of the scaled loss; 0: off"),
      KEY(optimizer.groups, Any{}, "parameters that learn otherwise; the first match counts"),

      KEY(schedule.name,
          (OneOf{{"constant", "step", "linear", "cosine", "exponential", "inverse-square-root"}}),
          "how the learning rate goes on"),
      KEY(schedule.unit, (OneOf{{"steps", "epochs"}}),
          "what at, every and warmup count; epochs are passes over the training split, whatever the batch"),
      KEY(schedule.at, Increasing{}, "step: from where on factor is applied once more"),
      KEY(schedule.factor, Above{0}, "step, exponential: factor"),
      KEY(schedule.every, AtLeast{0}, "exponential: steps or epochs between two factors"),
      KEY(schedule.staircase, Any{}, "exponential: jump there instead of falling evenly"),
      KEY(schedule.final_factor, AtLeast{0}, "linear, cosine: where the factor ends"),
      KEY(schedule.warmup, AtLeast{0}, "length of a linear warm-up, in steps from lr/warmup"),

      KEY(train.steps, AtLeast{0}, "length of the run; this or epochs"),
      KEY(train.epochs, AtLeast{0}, "length of the run in passes over the training split; this or steps"),
      KEY(train.global_batch, AtLeast{1}, "samples of a step, over all ranks"),
      KEY(train.global_tokens, AtLeast{0},
          "text: tokens of a step in place of samples, over all ranks: samples of about one length, as many as fit when "
          "padded to the longest side of any; 0: samples count"),
      KEY(train.micro_batch, AtLeast{0}, "most samples of one forward pass of a rank; 0: its whole share"),
      KEY(train.micro_tokens, AtLeast{0}, "the same in tokens, about, where tokens count"),
      KEY(train.seed, Any{}, "of weights, order, augmentation, dropout and label noise"),
      KEY(train.precision, (OneOf{{"fp32", "tf32", "bf16"}}),
          "bf16: forward and backward, the optimiser keeps float32; tf32: fp32 whose products on CUDA round their "
          "factors to 10 bits"),
      KEY(train.channels_last, Any{}, "memory format of images and kernels"),
      KEY(train.loss_scale, Above{0}, "factor on the loss, weight decay not included"),
      KEY(train.ema, (HalfOpen{0, 1}), "decay of the moving average of the weights; 0: none"),
      KEY(train.ema_warmup, Any{}, "decay min(ema, (1+n)/(10+n)) at update n"),
      KEY(train.device, (OneOf{{"auto", "cpu", "cuda"}}), "where ranks compute"),
      KEY(train.capture, (OneOf{{"auto", "never", "always"}}),
          "auto: on CUDA the step is captured and then repeated by one launch, where nothing is dropped and samples "
          "have equally many rows; always: on the CPU too, where nothing is gained"),
      KEY(train.workers, AtLeast{0},
          "threads of a rank that load and augment; 0: one, but of imagenet on CUDA as many as the rank has cores"),
      KEY(train.bucket_bytes, AtLeast{1024}, "bytes of gradients that are reduced together"),
      KEY(train.allreduce, (OneOf{{"fp32", "bf16"}}),
          "in what ranks exchange gradients; bf16: half the traffic, sums rounded to 8 bits"),
      KEY(train.log_every, AtLeast{1}, "steps between two lines of metrics"),

      KEY(evaluate.every, AtLeast{0}, "steps between two evaluations; 0: only at the end"),
      KEY(evaluate.split, (OneOf{{"validation", "test", "train"}}),
          "what is evaluated; validation means test where nothing is held out"),
      KEY(evaluate.batch, AtLeast{1}, "samples of one forward pass of a rank"),

      KEY(logits.splits, (ListOf{{"train", "validation", "test"}}),
          "splits whose logits the run keeps: SPLIT.h5 at the end, step-N-SPLIT.h5 on the way; []: none"),
      KEY(logits.every, AtLeast{0}, "steps between two of them on the way; 0: only at the end"),
      KEY(logits.at, NotFalling{}, "more steps after which they are kept; 0: before the first"),
      KEY(logits.keep, (OneOf{{"full", "summary"}}),
          "full: all logits; summary: of each row what calibrate needs, some 620 bytes whatever the classes"),
      KEY(logits.penultimate, Any{}, "keep the penultimate activations too, for project"),
      KEY(logits.precision, (OneOf{{"float32", "float16"}}), "of the stored rows"),

      KEY(information.classes, Pair{},
          "names of two classes whose examples the mutual information is estimated of; []: none"),
      KEY(information.every, AtLeast{0}, "steps between two estimates; 0: only at the end"),
      KEY(information.examples, AtLeast{1}, "training samples of each class, the first ones"),
      KEY(information.draws, (Between{2, 1024}), "draws of the augmentation of each of them"),

      KEY(checkpoint.every, AtLeast{0}, "steps between two checkpoints; 0: only at the end"),
      KEY(checkpoint.keep, AtLeast{1}, "how many of the latest are kept"),
      KEY(checkpoint.best, (OneOf{{"none", "accuracy", "top5_accuracy", "nll", "brier"}}),
          "the checkpoint with the best such figure on held-out samples is kept too and stands for the run, an "
          "earlier one of equals; none: the latest stands for it"),
  };
  return keys;
}

#undef KEY
#undef FIELD
// clang-format on

}  // namespace smoothlab::trainer
