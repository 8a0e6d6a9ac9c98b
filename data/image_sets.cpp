#include "data/image_sets.h"

#include <fmt/format.h>

#include <utility>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "data/cifar.h"
#include "data/file_bytes.h"
#include "data/generated_images.h"
#include "data/idx.h"

namespace smoothlab::data {
namespace {

ImageSplits open_generated(const TaskOptions& options) {
  GeneratedOptions part;
  part.classes = options.classes;
  part.noise = options.noise;
  part.seed = options.data_seed;
  ImageSplits splits;
  part.samples = options.train_samples;
  splits.train = std::make_shared<const LabelledImages>(generate_images(part));
  part.samples = options.test_samples;
  part.split = 1;
  splits.test = std::make_shared<const LabelledImages>(generate_images(part));
  return splits;
}

bool holds_set(const std::string& data, const std::string& folder) {
  if (data == "cifar10") return is_file(folder + "/" + cifar_test_file(Cifar::ten));
  if (data == "cifar100") return is_file(folder + "/" + cifar_test_file(Cifar::hundred));
  return !find_idx(folder, IdxNames::train_images, 3).empty() ||
         !find_idx(folder, IdxNames::train_images, 4).empty();
}

std::string own_folder(const std::string& data) {
  if (data == "cifar10") return cifar_folder(Cifar::ten);
  if (data == "cifar100") return cifar_folder(Cifar::hundred);
  return data;
}

}  // namespace

std::string set_folder(const std::string& data, const std::string& path) {
  if (path.empty())
    throw UsageError(fmt::format("data set '{}' needs the folder of its files", data), "task.path",
                     "set task.path to it");
  std::string within = path + "/" + own_folder(data);
  return !holds_set(data, path) && holds_set(data, within) ? within : path;
}

ImageSplits open_image_set(const TaskOptions& options) {
  const std::string& data = options.data;
  if (data == "generated") return open_generated(options);
  if (data != "mnist" && data != "idx" && data != "cifar10" && data != "cifar100")
    throw UsageError(fmt::format("unknown data set '{}'", data), "task.data",
                     suggest_name(data, {"mnist", "idx", "cifar10", "cifar100", "imagenet", "generated",
                                         "generated_text"}));
  const std::string folder = set_folder(data, options.path);
  if (data == "idx") return open_idx(folder, 0, "check task.path and the files there");
  std::string remedy = fmt::format("fetch it with: smoothlab data fetch {} --to DIR", data);
  // Where none of the set is there, the set or the folder was changed and the other forgotten.
  if (!holds_set(data, folder))
    remedy =
        fmt::format("task.path names {}; name the folder of {}'s files, or {}", options.path, data, remedy);
  if (data == "mnist") return open_idx(folder, 10, remedy);
  return open_cifar(data == "cifar10" ? Cifar::ten : Cifar::hundred, folder, remedy);
}

}  // namespace smoothlab::data
