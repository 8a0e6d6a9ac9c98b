#include "models/network.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "models/alexnet_tutorial.h"
#include "models/inception_v4.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/resnet_imagenet.h"
#include "models/resnet_t2t.h"
#include "models/transformer.h"

namespace smoothlab::models {
namespace {

/// N of "resnetN" or "resnetN_t2t"; 0 where the name is no such name.
int64_t resnet_depth(std::string_view name, std::string_view suffix) {
  constexpr std::string_view kPrefix = "resnet";
  if (name.size() <= kPrefix.size() + suffix.size() || name.substr(0, kPrefix.size()) != kPrefix) return 0;
  if (name.substr(name.size() - suffix.size()) != suffix) return 0;
  const std::string_view digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
  int64_t depth = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '0') return 0;
  if (depth < 8 || depth > 1202 || (depth - 2) % 6 != 0) {
    throw UsageError("no residual network has depth " + std::string(digits), "model.name",
                     "use 6n+2 from 8 to 1202, such as 20, 32, 44, 56, 110");
  }
  return depth;
}

enum class Family {
  mlp,
  alexnet_tutorial,
  resnet_cifar,
  resnet_t2t,
  resnet_imagenet,
  inception_v4,
  transformer
};

/// A name of a network taken apart.
struct Kind {
  Family family = Family::mlp;
  int64_t depth = 0;  ///< residual networks
};

Kind kind_of(const std::string& name) {
  if (name == "mlp") return {Family::mlp};
  if (name == "alexnet_tutorial") return {Family::alexnet_tutorial};
  if (name == "resnet50_imagenet") return {Family::resnet_imagenet};
  if (name == "inception_v4") return {Family::inception_v4};
  if (const int64_t depth = resnet_depth(name, "")) return {Family::resnet_cifar, depth};
  if (const int64_t depth = resnet_depth(name, "_t2t")) return {Family::resnet_t2t, depth};
  if (transformer_size(name)) return {Family::transformer};
  if (name.empty())
    throw UsageError(
        "'model.name' is missing", "model.name",
        "name a network: mlp, alexnet_tutorial, resnet56, resnet56_t2t, inception_v4, transformer_base");
  throw UsageError("unknown network \"" + name + "\"", "model.name", suggest_name(name, network_names()));
}

/// Options that only some networks have, and whether they are given.
struct Special {
  const char* key;
  bool given;
  std::vector<Family> families;  ///< the first one is named where another network is given it
};

void check_special_options(const NetworkOptions& options, Family family) {
  constexpr Family mlp = Family::mlp, inception = Family::inception_v4, transformer = Family::transformer;
  const Special all[] = {
      {"model.hidden", !options.hidden.empty(), {mlp}},
      {"model.dropout", options.dropout != 0, {mlp, inception, transformer}},
      {"model.input_dropout", options.input_dropout != 0, {mlp}},
      {"model.initialisation", !options.initialisation.empty(), {mlp}},
      {"model.auxiliary_head", options.auxiliary_head, {inception}},
      {"model.form", !options.form.empty(), {transformer}},
      {"model.layers", options.layers != 0, {transformer}},
      {"model.width", options.width != 0, {transformer}},
      {"model.feed_forward", options.feed_forward != 0, {transformer}},
      {"model.heads", options.heads != 0, {transformer}},
      {"model.attention_dropout", options.attention_dropout != 0, {transformer}},
      {"model.relu_dropout", options.relu_dropout != 0, {transformer}},
  };
  for (const Special& one : all) {
    const auto& theirs = one.families;
    if (!one.given || std::find(theirs.begin(), theirs.end(), family) != theirs.end()) continue;
    const char* example = theirs[0] == mlp         ? "mlp"
                          : theirs[0] == inception ? "inception_v4"
                                                   : "a transformer";
    throw UsageError("\"" + options.name + "\" has no such option", one.key,
                     std::string("leave it out, or use ") + example);
  }
}

void check_input(const NetworkOptions& options) {
  if (options.classes < 2) {
    throw UsageError("a classifier needs at least two classes", "model",
                     "got " + std::to_string(options.classes));
  }
  if (options.input.channels < 1 || options.input.height < 1 || options.input.width < 1) {
    throw UsageError("an input image needs a positive size", "model", "check the task's image shape");
  }
}

}  // namespace

int64_t Network::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.value.numel();
  return count;
}

void check_network_options(const NetworkOptions& options) {
  const Family family = kind_of(options.name).family;
  check_special_options(options, family);
  if (family == Family::mlp) Mlp::check(options);
  if (family == Family::inception_v4) InceptionV4::check(options);
  if (family == Family::transformer) Transformer::check(options);
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  check_network_options(options);
  const Kind kind = kind_of(options.name);
  if (kind.family == Family::transformer) return std::make_unique<Transformer>(options);
  if (options.source_classes > 0)
    throw UsageError("\"" + options.name + "\" reads no text", "model.name", "use a transformer");
  check_input(options);
  switch (kind.family) {
    case Family::alexnet_tutorial:
      return std::make_unique<AlexnetTutorial>(options);
    case Family::resnet_cifar:
      return std::make_unique<ResnetCifar>(options, kind.depth);
    case Family::resnet_t2t:
      return std::make_unique<ResnetT2t>(options, kind.depth);
    case Family::resnet_imagenet:
      return std::make_unique<ResnetImagenet>(options);
    case Family::inception_v4:
      return std::make_unique<InceptionV4>(options);
    default:
      return std::make_unique<Mlp>(options);
  }
}

std::vector<std::string> network_names() {
  std::vector<std::string> names = {"mlp", "alexnet_tutorial", "inception_v4", "resnet50_imagenet"};
  for (const char* suffix : {"", "_t2t"}) {
    for (const char* depth : {"20", "32", "44", "56", "110"}) {
      names.push_back(std::string("resnet") + depth + suffix);
    }
  }
  for (const char* size : {"tiny", "small", "base", "big"})
    names.push_back(std::string("transformer_") + size);
  return names;
}

}  // namespace smoothlab::models
