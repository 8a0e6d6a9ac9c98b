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
  alexnet.projected = {{"airplane", "automobile", "bird"}};

  PublishedResults resnet;
  resnet.task = "cifar100";
  resnet.model = "resnet56_t2t";
  resnet.accuracies = {{0, 72.1, 0.3}, {0.1, 72.7, 0.3}};
  resnet.calibration = {0.150, 0.021, 1.9, 0.05, 0.024};
  resnet.projected = {{"beaver", "dolphin", "otter"}};

  PublishedResults inception;
  inception.task = "imagenet";
  inception.model = "inception_v4";
  inception.accuracies = {{0, 80.9, std::nullopt}, {0.1, 80.9, std::nullopt}};
  inception.calibration = {0.071, 0.022, 1.4, 0.1, 0.035};
  inception.projected = {{"tench", "meerkat", "cleaver"}};
  return {alexnet, resnet, inception};
}

}  // namespace

const PublishedResults* published_results(const std::string& task, const std::string& model) {
  static const std::vector<PublishedResults> all = all_results();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& one) { return one.task == task && one.model == model; });
  return found == all.end() ? nullptr : &*found;
}

std::string people_name(const std::string& task_or_model) {
  static const std::map<std::string, std::string> names = {{"cifar10", "CIFAR-10"},
                                                           {"cifar100", "CIFAR-100"},
                                                           {"mnist", "MNIST"},
                                                           {"imagenet", "ImageNet"},
                                                           {"generated", "generated images"},
                                                           {"generated_text", "generated text"},
                                                           {"alexnet_tutorial", "AlexNet"},
                                                           {"resnet56_t2t", "ResNet-56"},
                                                           {"inception_v4", "Inception-v4"},
                                                           {"mlp", "MLP"}};
  const auto found = names.find(task_or_model);
  return found == names.end() ? task_or_model : found->second;
}

}  // namespace smoothlab::eval
