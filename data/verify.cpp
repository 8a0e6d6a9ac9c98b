#include "data/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "data/digest.h"
#include "data/fetch.h"
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

VerifiedFile with_digest(const std::string& path, const std::string& algorithm) {
  VerifiedFile file;
  file.path = path;
  file.bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  file.algorithm = algorithm;
  file.digest = file_digest(path, algorithm);
  return file;
}

VerifiedFile describe_unknown(const std::string& path) {
  VerifiedFile file = with_digest(path, "sha256");
  file.message = fmt::format("no published digest to compare with (sha256 {})", file.digest);
  return file;
}

VerifiedFile describe(const std::string& path, const KnownFile& known) {
  VerifiedFile file = with_digest(path, known.lines > 0 ? "sha256" : known.algorithm);
  if (known.lines > 0) {
    file.origin = is_official(path, known) ? Origin::official : Origin::differs;
    file.message = file.origin == Origin::official
                       ? fmt::format("{} lines, as the official file", known.lines)
                       : fmt::format("not the {} lines of the official file", known.lines);
    return file;
  }
  file.origin = file.digest == known.digest ? Origin::official : Origin::differs;
  file.message = file.origin == Origin::official
                     ? "official"
                     : fmt::format("differs from the official file ({} {}, not {})", known.algorithm,
                                   file.digest, known.digest);
  return file;
}

/// "x/train-images.idx3-ubyte" → "train-images-idx3-ubyte": some programs that unpack spell it with a dot.
std::string official_name(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  if (const size_t joint = name.find(".idx"); joint != std::string::npos) name[joint] = '-';
  return name;
}

/// What training reads, compared with the published file, packed or not, of that name.
std::vector<VerifiedFile> describe_known_set(const std::string& name, const std::string& folder) {
  const KnownSet set = known_set(name);
  std::vector<std::string> paths;
  if (set.archive)
    for (const KnownFile& content : set.contents) paths.push_back(folder + "/" + content.name);
  else
    paths = idx_files(folder);
  std::vector<VerifiedFile> files;
  for (const std::string& path : paths) {
    const KnownFile* known = nullptr;
    for (const auto* list : {&set.downloads, &set.contents})
      for (const KnownFile& file : *list)
        if (file.name == official_name(path)) known = &file;
    files.push_back(known ? describe(path, *known) : describe_unknown(path));
  }
  return files;
}

/// Files of a set that is read by the four names and is nobody's in particular.
std::vector<VerifiedFile> describe_idx(const std::string& folder) {
  std::vector<VerifiedFile> files;
  for (const std::string& path : idx_files(folder)) files.push_back(describe_unknown(path));
  return files;
}

}  // namespace

bool VerifyReport::official() const {
  return !files.empty() &&
         std::all_of(files.begin(), files.end(), [](const auto& f) { return f.origin == Origin::official; });
}

int64_t VerifyReport::differing() const {
  return std::count_if(files.begin(), files.end(), [](const auto& f) { return f.origin == Origin::differs; });
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
