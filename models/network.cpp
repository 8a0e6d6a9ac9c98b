#include "models/network.h"

#include <ATen/ATen.h>

#include <charconv>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "models/alexnet_tutorial.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/resnet_t2t.h"

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

void check(const NetworkOptions& options) {
  if (options.classes < 2) {
    throw UsageError("a classifier needs at least two classes", "model",
                     "got " + std::to_string(options.classes));
  }
  if (options.input.channels < 1 || options.input.height < 1 || options.input.width < 1) {
    throw UsageError("an input image needs a positive size", "model", "check the task's image shape");
  }
}

void check_no_mlp_options(const NetworkOptions& options) {
  const char* key = !options.hidden.empty()           ? "model.hidden"
                    : options.dropout != 0            ? "model.dropout"
                    : options.input_dropout != 0      ? "model.input_dropout"
                    : !options.initialisation.empty() ? "model.initialisation"
                                                      : nullptr;
  if (key) throw UsageError("\"" + options.name + "\" has no such option", key, "remove it, or use mlp");
}

}  // namespace

int64_t Network::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.value.numel();
  return count;
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  check(options);
  if (options.name == "mlp") return std::make_unique<Mlp>(options);
  if (const int64_t depth = resnet_depth(options.name, "")) {
    check_no_mlp_options(options);
    return std::make_unique<ResnetCifar>(options, depth);
  }
  if (const int64_t depth = resnet_depth(options.name, "_t2t")) {
    check_no_mlp_options(options);
    return std::make_unique<ResnetT2t>(options, depth);
  }
  if (options.name == "alexnet_tutorial") {
    check_no_mlp_options(options);
    return std::make_unique<AlexnetTutorial>(options);
  }
  throw UsageError("unknown network \"" + options.name + "\"", "model.name",
                   suggest_name(options.name, network_names()));
}

std::vector<std::string> network_names() {
  std::vector<std::string> names = {"mlp", "alexnet_tutorial"};
  for (const char* suffix : {"", "_t2t"}) {
    for (const char* depth : {"20", "32", "44", "56", "110"}) {
      names.push_back(std::string("resnet") + depth + suffix);
    }
  }
  return names;
}

}  // namespace smoothlab::models
