#include "data/known_sets.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::data {
namespace {

// The addresses of CIFAR and its archives' MD5 are those of the authors' page. MNIST's original host is gone;
// these are the mirrors of the PyTorch and Common Visual Data foundations.

KnownSet mnist() {
  KnownSet set;
  set.name = set.folder = "mnist";
  set.addresses = {"https://ossci-datasets.s3.amazonaws.com/mnist",
                   "https://storage.googleapis.com/cvdf-datasets/mnist"};
  set.downloads = {
      {"train-images-idx3-ubyte.gz", 9912422, "md5", "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
      {"train-labels-idx1-ubyte.gz", 28881, "md5", "d53e105ee54ea40749a09fcbcd1e9432"},
      {"t10k-images-idx3-ubyte.gz", 1648877, "md5", "9fb629c4189551a2d022fa330f9573f3"},
      {"t10k-labels-idx1-ubyte.gz", 4542, "md5", "ec29112dd5afa0611ce80d1b7f02629c"},
  };
  set.contents = {
      {"train-images-idx3-ubyte", 47040016, "sha256",
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"train-labels-idx1-ubyte", 60008, "sha256",
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {"t10k-images-idx3-ubyte", 7840016, "sha256",
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"t10k-labels-idx1-ubyte", 10008, "sha256",
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
  };
  return set;
}

KnownSet cifar10() {
  KnownSet set;
  set.name = "cifar10";
  set.folder = "cifar-10-batches-bin";
  set.addresses = {"https://www.cs.toronto.edu/~kriz"};
  set.downloads = {{"cifar-10-binary.tar.gz", 170052171, "md5", "c32a1d4ab5d03f1284b67883e8d87530"}};
  set.archive = true;
  set.contents = {
      {"data_batch_1.bin", 30730000, "md5", "5dd7e06a14cb22eb9f671a540d1b7c25"},
      {"data_batch_2.bin", 30730000, "md5", "5ea93a67294ea407fff1d09f752e9692"},
      {"data_batch_3.bin", 30730000, "md5", "942cd6a4bcdd0dd3c604fbe906cb4421"},
      {"data_batch_4.bin", 30730000, "md5", "ae636b3ba5c66a11e91e8cb52e771fcb"},
      {"data_batch_5.bin", 30730000, "md5", "53f37980c15c3d472c316c40844f3f0d"},
      {"test_batch.bin", 30730000, "md5", "803d5f7f4d78ea53de84dbe85f74fb6d"},
  };
  return set;
}

KnownSet cifar100() {
  KnownSet set;
  set.name = "cifar100";
  set.folder = "cifar-100-binary";
  set.addresses = {"https://www.cs.toronto.edu/~kriz"};
  set.downloads = {{"cifar-100-binary.tar.gz", 168513733, "md5", "03b5dce01913d631647c71ecec9e9cb8"}};
  set.archive = true;
  set.contents = {
      {"train.bin", 153700000, "md5", "6172c7755cfe09b2fe270c85cebc1b15"},
      {"test.bin", 30740000, "md5", "4499cfba6c016c1be1438163640a0898"},
  };
  return set;
}

}  // namespace

std::vector<KnownSet> known_sets() {
  return {mnist(), cifar10(), cifar100()};
}

KnownSet known_set(const std::string& name) {
  std::vector<std::string> names;
  for (KnownSet& set : known_sets()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  throw UsageError(fmt::format("no public data set '{}' is known", name), "data set",
                   suggest_name(name, names));
}

}  // namespace smoothlab::data
