#include "models/timm_names.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "models/network.h"
#include "models/weights.h"

namespace smoothlab::models {
namespace {

/// State of a ConvNormAct of timm's.
void add_conv(std::vector<std::string>& names, const std::string& module) {
  names.push_back(module + ".conv.weight");
  for (const char* what : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})
    names.push_back(module + ".bn." + what);
}

/// Modules of a block, by the structure of timm's inception_v4: "branch1.2" for the third of a sequence,
/// "branch0" for a convolution alone.
std::vector<std::string> block_modules(size_t entry) {
  if (entry == 3 || entry == 5) return {"conv"};
  if (entry == 4) return {"branch0.0", "branch0.1", "branch1.0", "branch1.1", "branch1.2", "branch1.3"};
  if (entry <= 9)
    return {"branch0",   "branch1.0", "branch1.1", "branch2.0",
            "branch2.1", "branch2.2", "branch3.1"};  // branch3.0 pools
  if (entry == 10) return {"branch0", "branch1.0", "branch1.1", "branch1.2"};
  if (entry <= 17)
    return {"branch0",   "branch1.0", "branch1.1", "branch1.2", "branch2.0",
            "branch2.1", "branch2.2", "branch2.3", "branch2.4", "branch3.1"};
  if (entry == 18) return {"branch0.0", "branch0.1", "branch1.0", "branch1.1", "branch1.2", "branch1.3"};
  return {"branch0",   "branch1_0", "branch1_1a", "branch1_1b", "branch2_0",
          "branch2_1", "branch2_2", "branch2_3a", "branch2_3b", "branch3.1"};
}

std::vector<std::string> timm_names() {
  std::vector<std::string> names;
  for (size_t entry = 0; entry < 22; ++entry) {
    const std::string feature = "features." + std::to_string(entry);
    if (entry < 3) {
      add_conv(names, feature);
      continue;
    }
    for (const std::string& module : block_modules(entry)) add_conv(names, feature + "." + module);
  }
  names.insert(names.end(), {"last_linear.weight", "last_linear.bias"});
  return names;
}

bool counts_batches(const std::string& name) {
  return name.find("num_batches_tracked") != std::string::npos;
}

std::string ours(const std::string& name) {
  return name_from_timm("inception_v4", name).value_or("none");
}

TEST(TimmNames, FindTheirPlaces) {
  EXPECT_EQ(ours("features.0.conv.weight"), "stem.conv1.weight");
  EXPECT_EQ(ours("features.2.bn.running_var"), "stem.norm3.running_var");
  EXPECT_EQ(ours("features.3.conv.conv.weight"), "mixed_3a.branch1.conv1.weight");
  EXPECT_EQ(ours("features.5.conv.bn.bias"), "mixed_5a.branch0.norm1.bias");
  EXPECT_EQ(ours("features.4.branch1.3.conv.weight"), "mixed_4a.branch1.conv4.weight");
  EXPECT_EQ(ours("features.6.branch0.conv.weight"), "mixed_5b.branch0.conv1.weight");
  EXPECT_EQ(ours("features.6.branch3.1.bn.weight"), "mixed_5b.branch3.norm1.weight");
  EXPECT_EQ(ours("features.17.branch2.4.conv.weight"), "mixed_6h.branch2.conv5.weight");
  EXPECT_EQ(ours("features.19.branch1_1a.conv.weight"), "mixed_7b.branch1.conv2.weight");
  EXPECT_EQ(ours("features.19.branch1_1b.conv.weight"), "mixed_7b.branch1.conv3.weight");
  EXPECT_EQ(ours("features.21.branch2_2.conv.weight"), "mixed_7d.branch2.conv3.weight");
  EXPECT_EQ(ours("features.21.branch2_3b.bn.running_mean"), "mixed_7d.branch2.norm5.running_mean");
  EXPECT_EQ(ours("last_linear.bias"), "classifier.bias");
}

TEST(TimmNames, ThatAreNoneHaveNoPlace) {
  for (const char* name : {"", "features", "features.0", "features.0.conv", "features.22.branch0.conv.weight",
                           "features.x.conv.weight", "features.1.0.conv.weight",
                           "features.6.conv.conv.weight", "features.6.branch.conv.weight",
                           "features.6.branch1.x.conv.weight", "features.19.branch1_.conv.weight",
                           "features.19.branch1_x.conv.weight", "features.6.branch0.relu.weight",
                           "features.0.bn.num_batches_tracked", "stem.conv1.weight", "last_linear.0.weight"})
    EXPECT_EQ(ours(name), "none") << name;
  EXPECT_FALSE(name_from_timm("resnet56", "features.0.conv.weight"));
}

/// State of torchvision's and timm's resnet50.
std::vector<std::string> resnet_names() {
  std::vector<std::string> names;
  const auto add = [&](const std::string& conv, const std::string& norm) {
    names.push_back(conv + ".weight");
    for (const char* what : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})
      names.push_back(norm + "." + what);
  };
  add("conv1", "bn1");
  int group = 0;
  for (const int blocks : {3, 4, 6, 3}) {
    ++group;
    for (int block = 0; block < blocks; ++block) {
      const std::string at = "layer" + std::to_string(group) + "." + std::to_string(block) + ".";
      for (const char* number : {"1", "2", "3"}) add(at + "conv" + number, at + "bn" + number);
      if (block == 0) add(at + "downsample.0", at + "downsample.1");
    }
  }
  names.insert(names.end(), {"fc.weight", "fc.bias"});
  return names;
}

// Millions of numbers are never looked at here: the tensors of the file are views of one number each.
void expect_each_once(const std::string& name_of_network, const std::vector<std::string>& all) {
  NetworkOptions options;
  options.name = name_of_network;
  options.input = {3, 299, 299};
  options.classes = 5;
  const auto network = make_network(options);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : tensors_of(*network)) tensors.emplace(name, tensor);

  TensorFile file;
  std::set<std::string> hit;
  for (const std::string& name : all) {
    if (counts_batches(name)) {
      file.tensors.emplace_back(name, at::zeros({}, at::kLong));
      continue;
    }
    const auto place = name_from_timm(options.name, name);
    const auto found = tensors.find(place.value_or(""));
    ASSERT_NE(found, tensors.end()) << name << " is " << place.value_or("none");
    EXPECT_TRUE(hit.insert(found->first).second) << name;
    const auto number = static_cast<double>(file.tensors.size());
    file.tensors.emplace_back(name, at::full({1}, number, at::kFloat).expand(found->second.sizes()));
  }
  EXPECT_EQ(hit.size(), tensors.size());
  EXPECT_EQ(tensors.size(), network->parameters().size() + network->buffers().size());

  EXPECT_EQ(timm_network(file), options.name);
  load_weights(*network, options, file, "a.safetensors");
  for (const auto& [name, tensor] : file.tensors) {
    if (counts_batches(name)) continue;
    const at::Tensor filled = tensors.at(*name_from_timm(options.name, name));
    EXPECT_EQ(filled.flatten()[0].item<float>(), tensor.flatten()[0].item<float>()) << name;
  }

  file.tensors.emplace_back("extra.weight", at::zeros({1}));
  EXPECT_EQ(timm_network(file), "");
  EXPECT_EQ(renamed_from_timm(options.name, file).tensors[0].first, all[0]);
}

TEST(TimmNames, FillEveryTensorOfInceptionOnce) {
  expect_each_once("inception_v4", timm_names());
  EXPECT_EQ(timm_network({}), "");
}

TEST(TimmNames, FillEveryTensorOfResnet50Once) {
  expect_each_once("resnet50_imagenet", resnet_names());
  for (const char* name : {"layer1.0.relu.weight", "layer1.conv1.weight", "layer1.0.downsample.2.weight",
                           "bn1.num_batches_tracked", "conv2.weight", "features.0.conv.weight"})
    EXPECT_FALSE(name_from_timm("resnet50_imagenet", name)) << name;
}

}  // namespace
}  // namespace smoothlab::models
