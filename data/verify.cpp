#include "data/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "data/digest.h"
#include "data/file_bytes.h"
#include "data/idx.h"
#include "data/image_sets.h"
#include "data/known_sets.h"

namespace smoothlab::data {
namespace {

VerifiedSplit count(const std::string& name, const LabelledImages& images) {
  VerifiedSplit split;
  split.name = name;
  split.samples = images.size();
  split.class_counts.assign(images.classes(), 0);
  for (const int32_t label : images.labels) ++split.class_counts[label];
  return split;
}

VerifiedFile describe(const std::string& path, const KnownFile& known) {
  VerifiedFile file;
  file.path = path;
  file.bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  file.algorithm = known.algorithm;
  file.digest = file_digest(path, known.algorithm);
  file.origin = file.digest == known.digest ? Origin::official : Origin::differs;
  file.message = file.origin == Origin::official
                     ? "official"
                     : fmt::format("differs from the official file ({} {}, not {})", known.algorithm,
                                   file.digest, known.digest);
  return file;
}

VerifiedFile describe_unknown(const std::string& path) {
  VerifiedFile file;
  file.path = path;
  file.bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  file.algorithm = "sha256";
  file.digest = file_digest(path, file.algorithm);
  file.message = fmt::format("no published digest to compare with (sha256 {})", file.digest);
  return file;
}

std::vector<VerifiedFile> describe_known_set(const std::string& name, const std::string& folder) {
  const KnownSet set = known_set(name);
  std::vector<VerifiedFile> files;
  for (const KnownFile& content : set.contents) {
    // As it was downloaded, or unpacked, or unpacked by a program that spells it with a dot.
    std::string dotted = content.name;
    if (const size_t joint = dotted.find("-idx"); joint != std::string::npos) dotted[joint] = '.';
    const auto packed = std::find_if(set.downloads.begin(), set.downloads.end(), [&](const KnownFile& file) {
      return file.name == content.name + ".gz";
    });
    for (const std::string& path :
         {fmt::format("{}/{}", folder, content.name), fmt::format("{}/{}", folder, dotted)}) {
      if (is_file(path)) {
        files.push_back(describe(path, content));
        break;
      }
      if (packed != set.downloads.end() && is_file(path + ".gz")) {
        files.push_back(describe(path + ".gz", *packed));
        break;
      }
    }
  }
  return files;
}

/// Files of a set that is read by the four names and is nobody's in particular.
std::vector<VerifiedFile> describe_idx(const std::string& folder) {
  std::vector<VerifiedFile> files;
  for (const char* stem :
       {IdxNames::train_images, IdxNames::train_labels, IdxNames::test_images, IdxNames::test_labels})
    for (const int dimensions : {1, 3, 4}) {
      const std::string path = find_idx(folder, stem, dimensions);
      if (!path.empty()) files.push_back(describe_unknown(path));
    }
  return files;
}

}  // namespace

bool VerifyReport::official() const {
  return !files.empty() &&
         std::all_of(files.begin(), files.end(), [](const auto& f) { return f.origin == Origin::official; });
}

VerifyReport verify(const std::string& name, const std::string& path) {
  TaskOptions options;
  options.data = name;
  options.path = path;
  const ImageSplits splits = open_image_set(options);
  VerifyReport report;
  report.name = name;
  report.height = splits.train->height;
  report.width = splits.train->width;
  report.channels = splits.train->channels;
  report.class_names = splits.train->class_names;
  report.splits = {count("train", *splits.train), count("test", *splits.test)};
  if (name == "generated") return report;
  report.folder = set_folder(name, path);
  report.files = name == "idx" ? describe_idx(report.folder) : describe_known_set(name, report.folder);
  return report;
}

}  // namespace smoothlab::data
