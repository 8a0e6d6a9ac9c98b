#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "cluster/addressed_random.h"
#include "eval/class_names.h"
#include "foreign_file.h"

namespace smoothlab::test {

/// A logit file with /penultimate and /classifier, and the values in it: clusters around the classes'
/// templates.
struct ProjectionSample {
  int64_t rows = 400, classes = 5, width = 7;
  double noise = 0.5;
  std::vector<float> activations, weight, bias, logits;
  std::vector<int64_t> labels, sample_ids;
  std::vector<std::string> names;
  Storage storage;
  bool with_penultimate = true, with_classifier = true;

  /// Labels 0, 1, …, K − 1, 0, …; sample ids fall from the first row to the last.
  void generate() {
    for (int64_t k = 0; k < classes; ++k) {
      const AddressedRandom random(11, Purpose::generated_data, 0, static_cast<uint64_t>(k));
      for (int64_t i = 0; i < width; ++i)
        weight.push_back(static_cast<float>(random.normal(static_cast<uint32_t>(i))));
      bias.push_back(static_cast<float>(random.normal(static_cast<uint32_t>(width))));
    }
    for (int64_t r = 0; r < rows; ++r) {
      const AddressedRandom random(11, Purpose::generated_data, 1, static_cast<uint64_t>(r));
      labels.push_back(r % classes);
      sample_ids.push_back(10 * (rows - r));
      for (int64_t i = 0; i < width; ++i)
        activations.push_back(
            static_cast<float>(2 * weight[static_cast<size_t>(labels.back() * width + i)] +
                               (noise > 0 ? noise * random.normal(static_cast<uint32_t>(i)) : 0.0)));
    }
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t k = 0; k < classes; ++k) logits.push_back(static_cast<float>(logit(r, k)));
  }

  double logit(int64_t row, int64_t k) const {
    double z = bias[static_cast<size_t>(k)];
    for (int64_t i = 0; i < width; ++i)
      z += static_cast<double>(activations[static_cast<size_t>(row * width + i)]) *
           static_cast<double>(weight[static_cast<size_t>(k * width + i)]);
    return z;
  }

  /// Writes what there is; attributes can be added to the file that is handed to `more`.
  template <typename More>
  void write(const std::string& path, const More& more) const {
    ForeignFile file(path);
    const auto n = static_cast<hsize_t>(rows), k = static_cast<hsize_t>(classes),
               l = static_cast<hsize_t>(width);
    file.dataset("logits", {n, k}, logits);
    file.dataset("labels", {n}, labels);
    file.dataset("sample_id", {n}, sample_ids);
    if (with_penultimate) file.dataset("penultimate", {n, l}, activations, storage);
    if (with_classifier) {
      H5Gclose(H5Gcreate2(file.id(), "classifier", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      file.dataset("classifier/weight", {k, l}, weight);
      file.dataset("classifier/bias", {k}, bias);
    }
    if (!names.empty()) eval::write_class_names(file.id(), names, path);
    more(file);
  }
  void write(const std::string& path) const {
    write(path, [](ForeignFile&) {});
  }
};

}  // namespace smoothlab::test
