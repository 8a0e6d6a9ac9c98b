#include "data/known_sets.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "data/cifar.h"
#include "data/idx.h"

namespace smoothlab::data {
namespace {

// The addresses of CIFAR and its archives' MD5 are those of the authors' page. MNIST's original host is gone;
// these are the mirrors of the PyTorch and Common Visual Data foundations.

KnownSet mnist() {
  KnownSet set;
  set.name = set.folder = "mnist";
  set.addresses = {"https://ossci-datasets.s3.amazonaws.com/mnist",
                   "https://storage.googleapis.com/cvdf-datasets/mnist"};
  const auto add = [&set](const char* stem, int dimensions, int64_t packed, const char* md5, int64_t bytes,
                          const char* sha256) {
    const std::string name = idx_name(stem, dimensions);
    set.downloads.push_back({name + ".gz", packed, "md5", md5});
    set.contents.push_back({name, bytes, "sha256", sha256});
  };
  add(IdxNames::train_images, 3, 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873", 47040016,
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
  add(IdxNames::train_labels, 1, 28881, "d53e105ee54ea40749a09fcbcd1e9432", 60008,
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5");
  add(IdxNames::test_images, 3, 1648877, "9fb629c4189551a2d022fa330f9573f3", 7840016,
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7");
  add(IdxNames::test_labels, 1, 4542, "ec29112dd5afa0611ce80d1b7f02629c", 10008,
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");
  return set;
}

/// digests: MD5 of the training files in reading order, then of the test file.
KnownSet cifar(Cifar kind, const std::string& name, const KnownFile& archive,
               const std::vector<std::string>& digests) {
  KnownSet set;
  set.name = name;
  set.folder = cifar_folder(kind);
  set.addresses = {"https://www.cs.toronto.edu/~kriz"};
  set.downloads = {archive};
  set.archive = true;
  std::vector<std::string> files = cifar_train_files(kind);
  files.push_back(cifar_test_file(kind));
  for (size_t i = 0; i < files.size(); ++i)
    set.contents.push_back(
        {files[i], cifar_published_records(kind, files[i]) * cifar_record_bytes(kind), "md5", digests[i]});
  KnownFile names;
  names.name = cifar_names_file(kind);
  names.lines = kind == Cifar::ten ? 10 : 100;
  set.contents.push_back(names);
  return set;
}

KnownSet cifar10() {
  return cifar(Cifar::ten, "cifar10",
               {"cifar-10-binary.tar.gz", 170052171, "md5", "c32a1d4ab5d03f1284b67883e8d87530"},
               {"5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692",
                "942cd6a4bcdd0dd3c604fbe906cb4421", "ae636b3ba5c66a11e91e8cb52e771fcb",
                "53f37980c15c3d472c316c40844f3f0d", "803d5f7f4d78ea53de84dbe85f74fb6d"});
}

KnownSet cifar100() {
  return cifar(Cifar::hundred, "cifar100",
               {"cifar-100-binary.tar.gz", 168513733, "md5", "03b5dce01913d631647c71ecec9e9cb8"},
               {"6172c7755cfe09b2fe270c85cebc1b15", "4499cfba6c016c1be1438163640a0898"});
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
