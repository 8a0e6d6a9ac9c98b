#include "models/timm_names.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace smoothlab::models {
namespace {

using Parts = std::vector<std::string_view>;

constexpr std::string_view kBatches = "num_batches_tracked";

Parts split(std::string_view name) {
  Parts parts;
  for (size_t dot; (dot = name.find('.')) != std::string_view::npos; name.remove_prefix(dot + 1))
    parts.push_back(name.substr(0, dot));
  parts.push_back(name);
  return parts;
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::optional<size_t> number_of(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Where a convolution stands: "mixed_5b.branch3" and 1.
struct Place {
  std::string block;
  size_t number;  ///< from 1
};

/// Entries of timm's list of features, from its fourth.
const std::vector<std::string>& mixed_blocks() {
  static const std::vector<std::string> blocks = {"3a", "4a", "5a", "5b", "5c", "5d", "5e", "6a", "6b", "6c",
                                                  "6d", "6e", "6f", "6g", "6h", "7a", "7b", "7c", "7d"};
  return blocks;
}

/// path: what stands between the entry and "conv" or "bn".
std::optional<Place> place_in_block(const std::string& block, const Parts& path) {
  if (path.size() == 1 && path[0] == "conv") {
    // The one convolution beside a pooling, before it or after.
    if (block == "3a") return Place{"mixed_3a.branch1", 1};
    if (block == "5a") return Place{"mixed_5a.branch0", 1};
    return std::nullopt;
  }
  constexpr std::string_view branch = "branch";
  if (path.empty() || path.size() > 2 || !starts_with(path[0], branch) || path[0].size() <= branch.size())
    return std::nullopt;
  const std::string ours = "mixed_" + block + "." + std::string(path[0].substr(0, branch.size() + 1));
  std::string_view rest = path[0].substr(branch.size() + 1);
  if (path.size() == 2) {
    const auto index = number_of(path[1]);
    if (!index || !rest.empty()) return std::nullopt;
    // The fourth branch begins with a pooling, which timm counts.
    return Place{ours, path[0] == "branch3" ? *index : *index + 1};
  }
  if (rest.empty()) return Place{ours, 1};
  // Inception-C: "branch2_3a" and "branch2_3b" are the two of a fork.
  if (rest.size() < 2 || rest[0] != '_') return std::nullopt;
  const bool second = rest.back() == 'b';
  if (second || rest.back() == 'a') rest.remove_suffix(1);
  const auto index = number_of(rest.substr(1));
  if (!index) return std::nullopt;
  return Place{ours, *index + (second ? 2 : 1)};
}

std::optional<std::string> inception_v4_name(const Parts& parts) {
  const std::string last(parts.back());
  if (parts.size() == 2 && parts[0] == "last_linear") return "classifier." + last;
  if (parts.size() < 4 || parts[0] != "features" || last == kBatches) return std::nullopt;
  const std::string_view layer = parts[parts.size() - 2];
  if (layer != "conv" && layer != "bn") return std::nullopt;
  const auto entry = number_of(parts[1]);
  if (!entry || *entry >= mixed_blocks().size() + 3) return std::nullopt;
  const Parts path(parts.begin() + 2, parts.end() - 2);
  std::optional<Place> place;
  if (*entry >= 3) {
    place = place_in_block(mixed_blocks()[*entry - 3], path);
  } else if (path.empty()) {
    place = Place{"stem", *entry + 1};
  }
  if (!place) return std::nullopt;
  return place->block + (layer == "bn" ? ".norm" : ".conv") + std::to_string(place->number) + "." + last;
}

/// Of "layer2.0.conv1", "layer2.0.bn1" or "layer2.0.downsample.0": the layer's name within its block.
std::optional<std::string> bottleneck_layer(const Parts& parts) {
  const std::string_view layer = parts[2];
  if (parts.size() == 5 && layer == "downsample") {
    if (parts[3] == "0") return "shortcut.conv";
    if (parts[3] == "1") return "shortcut.norm";
  }
  if (parts.size() != 4) return std::nullopt;
  if (starts_with(layer, "conv")) return std::string(layer);
  if (starts_with(layer, "bn")) return "norm" + std::string(layer.substr(2));
  return std::nullopt;
}

std::optional<std::string> resnet_name(const Parts& parts) {
  const std::string last(parts.back());
  if (last == kBatches) return std::nullopt;
  if (parts.size() == 2) {
    if (parts[0] == "fc") return "classifier." + last;
    if (parts[0] == "conv1") return "stem.conv1." + last;
    if (parts[0] == "bn1") return "stem.norm1." + last;
  }
  constexpr std::string_view group = "layer";
  if (parts.size() < 4 || !starts_with(parts[0], group)) return std::nullopt;
  const auto layer = bottleneck_layer(parts);
  if (!layer) return std::nullopt;
  return "group" + std::string(parts[0].substr(group.size())) + ".block" + std::string(parts[1]) + "." +
         *layer + "." + last;
}

bool counts_batches(const std::string& name) {
  return split(name).back() == kBatches;
}

}  // namespace

std::optional<std::string> name_from_timm(const std::string& network, const std::string& name) {
  if (network == "inception_v4") return inception_v4_name(split(name));
  if (network == "resnet50_imagenet") return resnet_name(split(name));
  return std::nullopt;
}

std::string timm_network(const TensorFile& file) {
  for (const char* network : {"inception_v4", "resnet50_imagenet"}) {
    const bool all = std::all_of(file.tensors.begin(), file.tensors.end(), [&](const auto& tensor) {
      return counts_batches(tensor.first) || name_from_timm(network, tensor.first);
    });
    if (all && !file.tensors.empty()) return network;
  }
  return "";
}

TensorFile renamed_from_timm(const std::string& network, TensorFile file) {
  if (network.empty() || timm_network(file) != network) return file;
  TensorFile renamed;
  renamed.metadata = std::move(file.metadata);
  for (auto& [name, tensor] : file.tensors)
    if (!counts_batches(name))
      renamed.tensors.emplace_back(*name_from_timm(network, name), std::move(tensor));
  return renamed;
}

}  // namespace smoothlab::models
