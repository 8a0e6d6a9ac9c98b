#include "models/weights.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <sstream>
#include <vector>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "models/timm_names.h"
#include "models/transformer.h"

namespace smoothlab::models {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

constexpr const char* kRemedy = "give the recipe these weights were trained with, or other weights";

}  // namespace

NamedTensors tensors_of(const Network& network) {
  NamedTensors tensors;
  for (const Parameter& parameter : network.parameters())
    tensors.emplace_back(parameter.name, parameter.value);
  for (const Buffer& buffer : network.buffers()) tensors.emplace_back(buffer.name, buffer.value);
  return tensors;
}

std::map<std::string, std::string> weights_metadata(const NetworkOptions& options) {
  std::ostringstream input;
  input << options.input.channels << 'x' << options.input.height << 'x' << options.input.width;
  std::map<std::string, std::string> metadata = {
      {"format", "pt"}, {"network", options.name}, {"classes", std::to_string(options.classes)}};
  if (options.source_classes > 0) {
    metadata["form"] = options.form;
    // The one number of a transformer that shapes of tensors do not tell.
    const auto size = transformer_size(options.name);
    metadata["heads"] = std::to_string(options.heads > 0 || !size ? options.heads : size->heads);
    metadata["input"] = std::to_string(options.source_classes) + " tokens";
    metadata["vocabulary"] = options.vocabulary;
  } else {
    metadata["input"] = input.str();
  }
  return metadata;
}

void fill_tensors(const NamedTensors& tensors, const TensorFile& file, const std::string& where) {
  std::map<std::string, at::Tensor> unclaimed(file.tensors.begin(), file.tensors.end());
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  std::vector<std::string> missing;
  for (const auto& [name, tensor] : tensors) {
    const auto found = unclaimed.find(name);
    if (found == unclaimed.end()) {
      missing.push_back(name);
      continue;
    }
    const at::Tensor given = found->second;
    unclaimed.erase(found);
    if (given.sizes() != tensor.sizes()) {
      throw DataError("\"" + name + "\" has shape " + shape_text(given) + ", not " + shape_text(tensor),
                      where, kRemedy);
    }
    if (!given.is_floating_point()) {
      throw DataError("\"" + name + "\" does not hold floating-point numbers", where,
                      "write weights as F32, BF16, F16 or F64");
    }
    copies.emplace_back(tensor, given);
  }
  if (!missing.empty()) {
    std::vector<std::string> others;
    for (const auto& entry : unclaimed) others.push_back(entry.first);
    const std::string nearest = nearest_name(missing.front(), others);
    throw DataError("\"" + missing.front() + "\" is missing", where,
                    nearest.empty() ? kRemedy : "is \"" + nearest + "\" what it is called there?");
  }
  if (!unclaimed.empty()) {
    throw DataError("\"" + unclaimed.begin()->first + "\" is one tensor too many", where, kRemedy);
  }
  const c10::NoGradGuard no_gradients;
  for (auto& [tensor, given] : copies) tensor.copy_(given);
}

void check_metadata(const std::map<std::string, std::string>& expected, const TensorFile& file,
                    const std::string& where) {
  for (const auto& [key, value] : expected) {
    const auto found = file.metadata.find(key);
    if (key == "format" || found == file.metadata.end() || found->second == value) continue;
    throw DataError("the weights have " + key + " \"" + found->second + "\", not \"" + value + "\"", where,
                    kRemedy);
  }
}

void load_weights(Network& network, const NetworkOptions& options, const TensorFile& file,
                  const std::string& where) {
  check_metadata(weights_metadata(options), file, where);
  fill_tensors(tensors_of(network), renamed_from_timm(options.name, file), where);
}

}  // namespace smoothlab::models
