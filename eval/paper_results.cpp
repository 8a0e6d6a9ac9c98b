#include "eval/paper_results.h"

#include <algorithm>
#include <map>

namespace smoothlab::eval {
namespace {

std::vector<PublishedResults> all_results() {
  PublishedResults alexnet;
  alexnet.task = "cifar10";
  alexnet.model = "alexnet_tutorial";
  alexnet.accuracies = {{0, 86.8, 0.2}, {0.1, 86.7, 0.3}};
  alexnet.projected = {{{"airplane", "automobile", "bird"}}};

  PublishedResults resnet;
  resnet.task = "cifar100";
  resnet.model = "resnet56_t2t";
  resnet.accuracies = {{0, 72.1, 0.3}, {0.1, 72.7, 0.3}};
  resnet.calibration = {0.150, 0.021, 1.9, 0.05, 0.024};
  resnet.projected = {{{"beaver", "dolphin", "otter"}}};

  PublishedResults inception;
  inception.task = "imagenet";
  inception.model = "inception_v4";
  inception.accuracies = {{0, 80.9, std::nullopt}, {0.1, 80.9, std::nullopt}};
  inception.calibration = {0.071, 0.022, 1.4, 0.1, 0.035};
  inception.projected = {{{"tench", "meerkat", "cleaver"}},
                         {{"toy poodle", "miniature poodle", "tench"}, true}};
  inception.split = "test";

  PublishedResults transformer;
  transformer.task = "text";
  transformer.model = "transformer_base";
  transformer.calibration = {0.056, 0.018, 1.13, 0.1, 0.019};
  return {alexnet, resnet, inception, transformer};
}

}  // namespace

const PublishedResults* published_results(const std::string& task, const std::string& model) {
  static const std::vector<PublishedResults> all = all_results();
  // One row is of a Transformer; which size of it, the paper does not say there.
  const std::string wanted = model.rfind("transformer_", 0) == 0 ? "transformer_base" : model;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& one) { return one.task == task && one.model == wanted; });
  return found == all.end() ? nullptr : &*found;
}

std::string people_name(const std::string& task_or_model) {
  static const std::map<std::string, std::string> names = {{"cifar10", "CIFAR-10"},
                                                           {"cifar100", "CIFAR-100"},
                                                           {"mnist", "MNIST"},
                                                           {"imagenet", "ImageNet"},
                                                           {"generated", "generated images"},
                                                           {"alexnet_tutorial", "AlexNet"},
                                                           {"resnet56_t2t", "ResNet-56"},
                                                           {"inception_v4", "Inception-v4"},
                                                           {"resnet50_imagenet", "ResNet-50"},
                                                           {"text", "translation"},
                                                           {"transformer_tiny", "Transformer (tiny)"},
                                                           {"transformer_small", "Transformer (small)"},
                                                           {"transformer_base", "Transformer (base)"},
                                                           {"transformer_big", "Transformer (big)"},
                                                           {"generated_text", "generated text"},
                                                           {"mlp", "MLP"}};
  const auto found = names.find(task_or_model);
  return found == names.end() ? task_or_model : found->second;
}

}  // namespace smoothlab::eval
