#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "data/prepare_imagenet.h"
#include "data/tar_bytes.h"

namespace smoothlab::test {

/// Files of three classes in ImageNet's layouts. What is in them is no JPEG: it is their name and more, of a
/// length of its own.
struct SmallImagenet {
  std::vector<std::string> synsets = {"n01440764", "n01443537", "n02123045"};
  std::vector<int> validation = {2, 0, 1, 1, 0};  ///< class of each image

  static std::string content(const std::string& stem) {
    size_t hash = 7;
    for (const char c : stem) hash = hash * 31 + static_cast<unsigned char>(c);
    return stem + std::string(hash % 1500, static_cast<char>('a' + hash % 26));
  }
  std::vector<std::string> training_stems(size_t label) const {
    std::vector<std::string> stems;
    for (size_t i = 0; i < 2 + label; ++i) stems.push_back(fmt::format("{}_{}", synsets[label], 100 + i));
    return stems;
  }
  static std::string validation_stem(size_t i) { return fmt::format("ILSVRC2012_val_{:08}", i + 1); }

  std::string class_tar(size_t label) const {
    std::string members;
    // Not in the order of their names: the official tars are not either.
    auto stems = training_stems(label);
    for (auto stem = stems.rbegin(); stem != stems.rend(); ++stem)
      members += tar_member(*stem + ".JPEG", content(*stem));
    return tar_archive(members);
  }
  std::string training_tar() const {
    std::string members;
    for (size_t label = 0; label < synsets.size(); ++label)
      members += tar_member(synsets[label] + ".tar", class_tar(label));
    return tar_archive(members);
  }
  std::string validation_members() const {
    std::string members;
    for (size_t i = 0; i < validation.size(); ++i)
      members += tar_member(validation_stem(i) + ".JPEG", content(validation_stem(i)));
    return members;
  }
  std::string synset_list() const {
    std::string text;
    for (const int label : validation) text += synsets[static_cast<size_t>(label)] + "\n";
    return text;
  }

  data::PrepareImagenetOptions write_tars(const std::string& folder) const {
    write_bytes(folder + "/train.tar", training_tar());
    write_bytes(folder + "/val.tar", tar_archive(validation_members()));
    write_bytes(folder + "/synsets.txt", synset_list());
    data::PrepareImagenetOptions options;
    options.train = folder + "/train.tar";
    options.validation = folder + "/val.tar";
    options.validation_synsets = folder + "/synsets.txt";
    options.out = folder + "/index";
    return options;
  }
  data::PrepareImagenetOptions write_folders(const std::string& folder) const {
    const auto write = [&](const std::string& split, size_t label, const std::string& stem) {
      const std::string place = folder + "/" + split + "/" + synsets[label];
      std::filesystem::create_directories(place);
      write_bytes(place + "/" + stem + ".JPEG", content(stem));
    };
    for (size_t label = 0; label < synsets.size(); ++label)
      for (const std::string& stem : training_stems(label)) write("train", label, stem);
    for (size_t i = 0; i < validation.size(); ++i)
      write("val", static_cast<size_t>(validation[i]), validation_stem(i));
    data::PrepareImagenetOptions options;
    options.train = folder + "/train";
    options.validation = folder + "/val";
    options.out = folder + "/index";
    return options;
  }
  static std::string pair(const std::string& stem, size_t label) {
    return tar_member(stem + ".cls", std::to_string(label) + (label % 2 ? "\n" : "")) +
           tar_member(stem + ".jpg", content(stem)) + tar_member(stem + ".json", "{}");
  }
  data::PrepareImagenetOptions write_shards(const std::string& folder) const {
    for (size_t label = 0; label < synsets.size(); ++label) {
      std::string members;
      for (const std::string& stem : training_stems(label)) members += pair(stem, label);
      write_bytes(fmt::format("{}/train-{:06}.tar", folder, label), tar_archive(members));
    }
    std::string members;
    for (size_t i = 0; i < validation.size(); ++i)
      members += pair(validation_stem(i), static_cast<size_t>(validation[i]));
    write_bytes(folder + "/validation-000000.tar", tar_archive(members));
    data::PrepareImagenetOptions options;
    options.train = folder + "/train-{000000..000002}.tar";
    options.validation = folder + "/validation-*.tar";
    options.out = folder + "/index";
    return options;
  }
  void write_class_list(const std::string& path) const {
    std::string text;
    for (size_t i = synsets.size(); i-- > 0;)
      text += fmt::format("{}\"{}\": [\"{}\", \"name_{}\"]", text.empty() ? "{" : ", ", i, synsets[i], i);
    write_bytes(path, text + "}\n");
  }
};

inline data::PreparedImages prepare(const data::PrepareImagenetOptions& options) {
  return data::prepare_imagenet(*cluster::local_file_system(), options);
}

}  // namespace smoothlab::test
