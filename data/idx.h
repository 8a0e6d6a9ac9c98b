#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/labelled_images.h"

namespace smoothlab::data {

/// One array of unsigned bytes in the IDX format: two zero bytes, the type (0x08), the number of dimensions,
/// each size as a big-endian 32-bit number, then the elements in row-major order.
struct IdxArray {
  std::vector<int64_t> sizes;
  std::vector<uint8_t> elements;
};

/// Throws DataError with path and offset for a file that is missing, is not IDX, holds another type, is
/// truncated or goes on after its end.
IdxArray read_idx(const std::string& path, const std::string& remedy);

/// The four files' stems, as the MNIST distribution names them.
struct IdxNames {
  static constexpr const char* train_images = "train-images";
  static constexpr const char* train_labels = "train-labels";
  static constexpr const char* test_images = "t10k-images";
  static constexpr const char* test_labels = "t10k-labels";
};

/// "train-images-idx3-ubyte" of stem and dimensions: the name that the MNIST distribution gives.
std::string idx_name(const std::string& stem, int dimensions);

/// Where a file of such a set lies: "train-images-idx3-ubyte" or "train-images.idx3-ubyte", with or without
/// ".gz"; `dimensions` is the number in the name (a colour image set, idx4). Empty where there is none.
std::string find_idx(const std::string& folder, const std::string& stem, int dimensions);

/// The files that open_idx reads, as far as they are there: images and labels of the training set, then of
/// the test set.
std::vector<std::string> idx_files(const std::string& folder);

/// Opens a set of four IDX files. Images are [N, H, W] or [N, H, W, C], labels [N]. Classes are numbered
/// 0…9, or up to the largest label of the training set where `classes` is 0; they are named by their number.
/// Throws DataError.
ImageSplits open_idx(const std::string& folder, int64_t classes, const std::string& remedy);

}  // namespace smoothlab::data
