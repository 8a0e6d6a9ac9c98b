#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/labelled_images.h"

namespace smoothlab::data {

/// The binary form of CIFAR: records of label bytes, then 3072 bytes, the red, green and blue planes of a
/// 32×32 image. CIFAR-10 has one label byte, CIFAR-100 two: coarse, then the fine one used here.
enum class Cifar { ten, hundred };

/// Names of the files of each split, in reading order, and of the file with the class names.
std::vector<std::string> cifar_train_files(Cifar kind);
std::string cifar_test_file(Cifar kind);
std::string cifar_names_file(Cifar kind);
/// The folder that the official archive unpacks to.
std::string cifar_folder(Cifar kind);

/// Records that the authors' copy of one of these files has.
int64_t cifar_published_records(Cifar kind, const std::string& file);
int64_t cifar_record_bytes(Cifar kind);

/// Reads record files one after the other. Throws DataError with file, record and offset for a file that is
/// missing, has an odd length, or holds a label out of range.
LabelledImages read_cifar(Cifar kind, const std::string& folder, const std::vector<std::string>& files,
                          const std::string& remedy);

/// Both splits. Files of other lengths than the published ones make a set of one's own, but only all of them
/// together: beside one that is as published, another is a damaged copy, a DataError that names it.
ImageSplits open_cifar(Cifar kind, const std::string& folder, const std::string& remedy);

}  // namespace smoothlab::data
