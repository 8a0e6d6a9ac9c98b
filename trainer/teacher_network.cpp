#include "trainer/teacher_network.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "cluster/error.h"
#include "data/digest.h"
#include "models/timm_names.h"
#include "models/weights.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/network_device.h"
#include "trainer/run_folder.h"
#include "trainer/run_parts.h"
#include "trainer/standing_checkpoint.h"

namespace smoothlab::trainer {
namespace {

/// Weights in a checkpoint are held against its manifest.
void refuse_damage(const cluster::FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  if (!files.exists(path)) return;
  const std::string damage =
      checkpoint_damage(files, folder, manifest_from_json(files.read(path), path).step);
  if (!damage.empty())
    throw DataError("the teacher's checkpoint is damaged: " + damage, folder, "take another one");
}

/// Of what stands for a run whose newest checkpoint is this one.
std::optional<uint32_t> standing_crc32(const std::string& checkpoints, const std::string& newest,
                                       const cluster::FileSystem& files) {
  std::optional<BestEvaluation> best;
  try {
    best = known_best(files, newest);
  } catch (const Error&) {
    return std::nullopt;  // damaged, too
  }
  return weights_crc32(best ? checkpoints + checkpoint_name(best->evaluation.step) : newest, files);
}

std::string text_of(const models::TensorFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? "" : found->second;
}

/// A number in a file's metadata; none where it is not there or is none.
template <typename Number>
std::optional<Number> number_of(const models::TensorFile& file, const char* key) {
  const std::string text = text_of(file, key);
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// Weights with what tells them from others.
struct TeacherWeights {
  models::TensorFile contents;
  TeacherIdentity identity;
};

TeacherWeights read_weights(const std::string& path, const cluster::FileSystem& files) {
  const std::string bytes = files.read(path);
  TeacherWeights weights{models::parse_safetensors(bytes, path), {}};
  TeacherIdentity& identity = weights.identity;
  identity.digest = data::sha256({{bytes.data(), bytes.size()}});
  identity.crc32 = cluster::checksum(bytes.data(), bytes.size());
  identity.step = number_of<int64_t>(weights.contents, "step").value_or(0);
  identity.alpha = number_of<double>(weights.contents, "alpha");
  identity.convention = text_of(weights.contents, "convention");
  identity.recipe_hash = text_of(weights.contents, "recipe_hash");
  return weights;
}

/// Units of the hidden layers of an mlp, which files tell by their shapes alone.
std::vector<int64_t> hidden_units(const models::TensorFile& file) {
  std::vector<int64_t> units;
  for (at::Tensor weight; (weight = file.find(fmt::format("hidden{}.weight", units.size() + 1))).defined();)
    units.push_back(weight.size(0));
  return units;
}

/// Fits the student's data, or there is an error that says in what it does not.
models::NetworkOptions options_of(const models::TensorFile& file, const std::optional<Recipe>& recipe,
                                  const Recipe& student, const data::Dataset& train,
                                  const std::string& where) {
  models::NetworkOptions options = network_options(student, train);
  const std::string fed =
      fmt::format("{}x{}x{}", options.input.channels, options.input.height, options.input.width);
  const std::string classes = text_of(file, "classes"), input = text_of(file, "input");
  if (!classes.empty() && classes != std::to_string(options.classes))
    throw UsageError(
        fmt::format("the teacher has {} classes, the student's data {}", classes, options.classes),
        "teacher.run", "take a teacher of the same data set");
  if (!input.empty() && input != fed)
    throw UsageError(fmt::format("the teacher takes inputs {}, the student {}", input, fed), "teacher.run",
                     "train both with the same task.augment.crop");
  options.hidden.clear();
  options.dropout = options.input_dropout = 0;
  options.initialisation.clear();
  options.auxiliary_head = file.find("auxiliary.classifier.weight").defined();
  options.name = recipe ? recipe->model.name : text_of(file, "network");
  if (options.name.empty()) options.name = models::timm_network(file);
  if (options.name.empty())
    throw DataError("the weights do not say of which network they are", where,
                    "write its name into their metadata, as \"network\": \"resnet56_t2t\"");
  if (options.name == "mlp") options.hidden = hidden_units(file);
  options.channels_last = channels_last(student.train, options.name);
  return options;
}

void compare_inputs(const Recipe& teacher, const Recipe& student, cluster::Log& log) {
  const std::string &theirs = teacher.task.augment.normalize, &ours = student.task.augment.normalize;
  if (theirs != ours)
    throw UsageError(
        fmt::format("the teacher learnt from inputs with normalize: {}, the student's have {}", theirs, ours),
        "teacher.run", "train both with the same task.augment.normalize");
  if (teacher.task.data != student.task.data)
    log.warning("the teacher learnt from {}, the student learns from {}", teacher.task.data,
                student.task.data);
}

void fix(models::Network& network, const cluster::Placement& placement, at::ScalarType type) {
  for (auto& parameter : network.parameters()) {
    parameter.value = parameter.value.detach();
    if (!parameter.keep_float32) parameter.value = parameter.value.to(type);
  }
  move_to(network, placement.device);
}

}  // namespace

TeacherFiles find_teacher(const std::string& from, const cluster::FileSystem& files, cluster::Log& log) {
  if (!files.exists(from))
    throw DataError("there is no such teacher", from,
                    "name the folder of a run or of a checkpoint, or a .safetensors file");
  const std::filesystem::path path(from);
  if (!std::filesystem::is_directory(path)) {
    refuse_damage(files, path.parent_path().string());
    const std::string recipe = (path.parent_path() / "recipe.yaml").string();
    return {from, files.exists(recipe) ? recipe : ""};
  }
  if (files.exists(from + "/weights.safetensors")) {
    refuse_damage(files, from);
    return {checkpoint_weights(files, from, true), from + "/recipe.yaml"};
  }
  if (!files.exists(from + "/recipe.yaml"))
    throw DataError("the folder holds neither a run nor a checkpoint", from,
                    "name the folder that train was given");
  const auto standing = find_standing_checkpoint(files, from + "/checkpoints", log,
                                                 "bring it back, or name the folder of another one");
  if (!standing)
    throw DataError("the teacher has no checkpoint yet", from, "train it until its first checkpoint");
  return {checkpoint_weights(files, standing->folder, true), from + "/recipe.yaml"};
}

at::Tensor TeacherNetwork::logits(const std::vector<at::Tensor>& inputs) const {
  const c10::NoGradGuard no_gradients;
  return network->forward(inputs, models::ForwardContext()).logits.to(at::kFloat);
}

TeacherIdentity identify_teacher(const TeacherFiles& teacher, const cluster::FileSystem& files) {
  return read_weights(teacher.weights, files).identity;
}

std::optional<uint32_t> weights_crc32(const std::string& checkpoint, const cluster::FileSystem& files) {
  const std::string path = checkpoint + "/manifest.json";
  try {
    const auto manifest = manifest_from_json(files.read(path), path);
    for (const char* name : {"average.safetensors", "weights.safetensors"})
      if (const auto file = manifest.files.find(name); file != manifest.files.end())
        return file->second.crc32;
  } catch (const Error&) {
    // It is damaged, and whoever reads weights passes it over.
  }
  return std::nullopt;
}

std::optional<bool> still_teaches(const std::string& run, uint32_t crc32, const cluster::FileSystem& files) {
  const std::string checkpoints = run + "/checkpoints/";
  const std::vector<int64_t> steps = checkpoint_steps(files, checkpoints);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::string folder = checkpoints + checkpoint_name(*step);
    const auto found = standing_crc32(checkpoints, folder, files);
    if (!found) continue;
    if (*found == crc32) return true;
    if (checkpoint_damage(files, folder, *step).empty()) return false;
  }
  return std::nullopt;
}

TeacherNetwork read_teacher(const TeacherFiles& found, const Recipe& student, const data::Dataset& train,
                            const cluster::Placement& placement, const cluster::FileSystem& files,
                            cluster::Log& log) {
  std::optional<Recipe> recipe;
  if (!found.recipe.empty()) recipe = recipe_of_run(files, found.recipe);
  const TeacherWeights weights = read_weights(found.weights, files);
  TeacherNetwork teacher;
  student.places.locate([&] {
    const auto options = options_of(weights.contents, recipe, student, train, found.weights);
    if (recipe) compare_inputs(*recipe, student, log);
    teacher.model = options.name;
    teacher.network = models::make_network(options);
    models::load_weights(*teacher.network, options, weights.contents, found.weights);
  });
  fix(*teacher.network, placement, compute_type(student));
  teacher.weights = found.weights;
  teacher.identity = weights.identity;
  if (recipe) teacher.recipe = resolved_recipe(*recipe);
  return teacher;
}

}  // namespace smoothlab::trainer
