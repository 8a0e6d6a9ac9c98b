#include "models/weights.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <set>
#include <sstream>
#include <vector>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::models {
namespace {

constexpr const char* kFormat = "smoothlab-weights-1";

std::map<std::string, std::string> description(const NetworkOptions& options) {
  std::ostringstream input;
  input << options.input.channels << 'x' << options.input.height << 'x' << options.input.width;
  return {{"format", kFormat},
          {"network", options.name},
          {"classes", std::to_string(options.classes)},
          {"input", input.str()}};
}

std::vector<std::pair<std::string, at::Tensor>> tensors_of(const Network& network) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const Parameter& parameter : network.parameters())
    tensors.emplace_back(parameter.name, parameter.value);
  for (const Buffer& buffer : network.buffers()) tensors.emplace_back(buffer.name, buffer.value);
  return tensors;
}

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

void check_description(const NetworkOptions& options, const TensorFile& file, const std::string& where) {
  for (const auto& [key, expected] : description(options)) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end() || found->second == expected) continue;
    throw DataError("the weights have " + key + " \"" + found->second + "\", not \"" + expected + "\"", where,
                    "give the recipe these weights were trained with, or other weights");
  }
}

}  // namespace

TensorFile save_weights(const Network& network, const NetworkOptions& options) {
  TensorFile file;
  file.metadata = description(options);
  for (const auto& [name, tensor] : tensors_of(network)) {
    file.tensors.emplace_back(name,
                              tensor.detach().to(at::kCPU, at::kFloat).clone(at::MemoryFormat::Contiguous));
  }
  return file;
}

void load_weights(Network& network, const NetworkOptions& options, const TensorFile& file,
                  const std::string& where) {
  check_description(options, file, where);
  const auto wanted = tensors_of(network);
  std::set<std::string> known;
  std::vector<std::string> unclaimed;
  for (const auto& [name, tensor] : wanted) known.insert(name);
  for (const auto& [name, tensor] : file.tensors) {
    if (known.count(name) == 0) unclaimed.push_back(name);
  }
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& [name, tensor] : wanted) {
    const at::Tensor given = file.find(name);
    if (!given.defined()) {
      const std::string nearest = nearest_name(name, unclaimed);
      throw DataError("the weights lack \"" + name + "\"", where,
                      nearest.empty() ? "these are not the weights of " + options.name
                                      : "is \"" + nearest + "\" what it is called there?");
    }
    if (given.sizes() != tensor.sizes()) {
      throw DataError("\"" + name + "\" has shape " + shape_text(given) + ", not " + shape_text(tensor),
                      where, "give the recipe these weights were trained with, or other weights");
    }
    if (!given.is_floating_point()) {
      throw DataError("\"" + name + "\" does not hold floating-point numbers", where,
                      "write weights as F32, BF16, F16 or F64");
    }
    copies.emplace_back(tensor, given);
  }
  if (!unclaimed.empty()) {
    throw DataError("the weights hold \"" + unclaimed.front() + "\", which " + options.name + " has not",
                    where, "give the recipe these weights were trained with, or other weights");
  }
  const c10::NoGradGuard no_gradients;
  for (auto& [tensor, given] : copies) tensor.copy_(given);
}

}  // namespace smoothlab::models
