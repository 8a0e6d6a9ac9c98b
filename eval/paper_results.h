#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace smoothlab::eval {

// What "When Does Label Smoothing Help?" (Müller, Kornblith, Hinton, NeurIPS 2019) prints, for tables that
// set it beside one's own.

/// Table 2: top-1 accuracy in percent on held-out data, with the spread that is printed beside it.
struct PublishedAccuracy {
  double alpha = 0, mean = 0;
  std::optional<double> spread;
};

/// Table 3 and fig. 2: expected calibration error, 15 bins.
struct PublishedCalibration {
  double hard = 0, scaled = 0, temperature = 1;  ///< α = 0, and the same at that temperature
  double alpha = 0, smoothed = 0;
};

/// Fig. 1: three classes that are projected.
struct PublishedProjection {
  std::array<std::string, 3> classes;
  /// Whether two of them look alike: those stay near each other, so that no regular triangle is claimed.
  bool similar = false;
};

/// Everything printed of one network on one data set.
struct PublishedResults {
  std::string task, model;  ///< as recipes name them
  std::vector<PublishedAccuracy> accuracies;
  std::optional<PublishedCalibration> calibration;
  std::vector<PublishedProjection> projected;
  /// The split that the figures are of, where it is not the one that a run is evaluated on while it trains:
  /// ImageNet's official validation images are the split `test`. Empty: that one.
  std::string split;
};

/// Null where the paper has no such network. A Transformer of any size is compared with the one that the
/// paper has, on English to German.
const PublishedResults* published_results(const std::string& task, const std::string& model);

/// "CIFAR-10" of "cifar10"; a name that is not known stays as it is.
std::string people_name(const std::string& task_or_model);

}  // namespace smoothlab::eval
