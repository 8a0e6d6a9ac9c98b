#include "data/image_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cluster/error.h"
#include "data/image_names.h"
#include "data/shard_pattern.h"
#include "data/tar_scan.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* remedy =
    "name ImageNet's tar, a folder of class folders, or shards such as 'train-*.tar'";
constexpr int members_looked_at = 4;

size_t add_container(ImageSource& source, const std::string& path, bool folder) {
  ImageContainer container{absolute_path(path), folder, 0, 0};
  if (!file_facts(path, container.size, container.modified))
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path, remedy);
  source.containers.push_back(container);
  return source.containers.size() - 1;
}

void add_tar(ImageSource& source, const std::string& path, const std::string& class_name) {
  const size_t container = add_container(source, path, false);
  source.parts.push_back({container, 0, source.containers[container].size, class_name, ""});
}

/// By its first members: the official training tar's are tars, the validation tar's images, shards have
/// labels beside the images.
ImageLayout layout_of_tar(const PositionedFile& file) {
  TarScan archive(file);
  int seen = 0;
  bool has_image = false;
  for (TarMember member; seen < members_looked_at && archive.next(member);) {
    if (!member.plain()) continue;
    ++seen;
    if (has_tar_name(member.name)) return ImageLayout::class_tars;
    if (fs::path(member.name).extension() == ".cls") return ImageLayout::shards;
    has_image |= has_image_name(member.name);
  }
  if (!has_image) throw DataError("a tar whose first members are no images", file.path(), remedy);
  return ImageLayout::flat;
}

void list_class_tars(ImageSource& source, const PositionedFile& file) {
  TarScan archive(file);
  for (TarMember member; archive.next(member);) {
    if (member.type == '5') continue;
    if (member.plain() && has_tar_name(member.name))
      source.parts.push_back(
          {0, member.offset, member.offset + member.size, image_stem(member.name), base_name(member.name)});
    else
      add_skipped(source.skipped, "no tar of a class", file.path() + ", " + member.name);
  }
}

void look_into_tar(ImageSource& source, const std::string& path) {
  const PositionedFile file(path, remedy);
  source.layout = layout_of_tar(file);
  add_container(source, path, false);
  if (source.layout == ImageLayout::class_tars)
    list_class_tars(source, file);
  else
    source.parts.push_back({0, 0, source.containers[0].size, "", ""});
}

struct FolderContents {
  std::vector<std::string> folders, tars, images, others;
};

FolderContents list_folder(const std::string& path) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator it(path, problem), end; !problem && it != end; it.increment(problem))
    entries.push_back(it->path());
  if (problem)
    throw DataError(fmt::format("cannot read: {}", problem.message()), path, "check its permissions");
  std::sort(entries.begin(), entries.end());
  FolderContents contents;
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    std::error_code ignored;
    if (name[0] == '.') continue;
    if (fs::is_directory(entry, ignored))
      contents.folders.push_back(entry.string());
    else if (has_tar_name(name))
      contents.tars.push_back(entry.string());
    else
      (has_image_name(name) ? contents.images : contents.others).push_back(entry.string());
  }
  return contents;
}

void look_into_folder(ImageSource& source, const std::string& path) {
  const FolderContents contents = list_folder(path);
  const auto skip = [&source](const std::vector<std::string>& files, const std::string& reason) {
    for (const std::string& file : files) add_skipped(source.skipped, reason, file);
  };
  if (!contents.folders.empty()) {
    source.layout = ImageLayout::class_folders;
    for (const std::string& folder : contents.folders)
      source.parts.push_back({add_container(source, folder, true), 0, 0, base_name(folder), ""});
    for (const auto* files : {&contents.tars, &contents.images, &contents.others})
      skip(*files, "beside the folders of classes");
  } else if (!contents.tars.empty()) {
    const bool by_class = std::all_of(contents.tars.begin(), contents.tars.end(),
                                      [](const std::string& tar) { return is_synset(image_stem(tar)); });
    source.layout = by_class ? ImageLayout::class_tars : ImageLayout::shards;
    for (const std::string& tar : contents.tars) add_tar(source, tar, by_class ? image_stem(tar) : "");
    for (const auto* files : {&contents.images, &contents.others}) skip(*files, "beside the tars");
  } else if (!contents.images.empty()) {
    source.layout = ImageLayout::flat;
    source.parts.push_back({add_container(source, path, true), 0, 0, "", ""});
  } else {
    throw DataError("a folder without images, class folders or tars", path, remedy);
  }
}

}  // namespace

std::string layout_name(ImageLayout layout) {
  switch (layout) {
    case ImageLayout::class_tars:
      return "class tars";
    case ImageLayout::class_folders:
      return "class folders";
    case ImageLayout::flat:
      return "numbered images";
    default:
      return "shards";
  }
}

std::string absolute_path(const std::string& path) {
  std::string text = fs::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

ImageSource find_images(const std::string& path) {
  ImageSource source;
  source.given = path;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    look_into_folder(source, path);
  } else if (fs::exists(path, ignored)) {
    look_into_tar(source, path);
  } else if (is_shard_pattern(path)) {
    source.layout = ImageLayout::shards;
    for (const std::string& shard : matching_shards(path)) add_tar(source, shard, "");
  } else {
    throw DataError("no such file or folder", path, remedy);
  }
  return source;
}

}  // namespace smoothlab::data
