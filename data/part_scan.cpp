#include "data/part_scan.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "cluster/error.h"
#include "data/image_names.h"
#include "data/positioned_file.h"
#include "data/shard_scan.h"
#include "data/tar_scan.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* image_remedy = "bring it anew, or take it out";

ScannedPart scan_tar(const PositionedFile& file, const ImagePart& part, std::atomic<int64_t>& found) {
  TarScan archive(file, part.begin, part.end, part.name);
  ScannedPart scanned;
  const std::string where = file.path() + (part.name.empty() ? "" : ", " + part.name);
  for (TarMember member; archive.next(member);) {
    if (member.type == '5') continue;
    if (!has_image_name(member.name)) {
      add_skipped(scanned.skipped, "no JPEG by its name", where + ", " + member.name);
      continue;
    }
    if (!member.plain() || member.size == 0)
      throw DataError(member.plain() ? "an image of no bytes" : "a link or device instead of an image",
                      fmt::format("{}, {}, offset {}", where, member.name, member.offset), image_remedy);
    scanned.images.push_back({base_name(member.name), member.offset, member.size, -1});
    ++found;
  }
  return scanned;
}

ScannedPart scan_folder(const std::string& folder, std::atomic<int64_t>& found) {
  ScannedPart scanned;
  std::error_code problem;
  for (fs::directory_iterator it(folder, problem), end; !problem && it != end; it.increment(problem)) {
    const std::string name = it->path().filename().string(), path = it->path().string();
    std::error_code missing;
    if (!has_image_name(name)) {
      add_skipped(scanned.skipped, "no JPEG by its name", path);
      continue;
    }
    if (!fs::is_regular_file(path, missing))
      throw DataError(missing ? "an image that cannot be found" : "no plain file", path, image_remedy);
    int64_t size = 0, modified = 0;
    file_facts(path, size, modified);
    if (size == 0) throw DataError("an image of no bytes", path, image_remedy);
    scanned.images.push_back({name, 0, size, -1});
    ++found;
  }
  if (problem)
    throw DataError(fmt::format("cannot read: {}", problem.message()), folder, "check its permissions");
  return scanned;
}

}  // namespace

ScannedPart scan_part(const ImageSource& source, const ImagePart& part, std::atomic<int64_t>& found) {
  const ImageContainer& container = source.containers[part.container];
  ScannedPart scanned;
  if (container.folder) {
    scanned = scan_folder(container.path, found);
  } else {
    const PositionedFile file(container.path);
    scanned = source.layout == ImageLayout::shards ? scan_shard(file, found) : scan_tar(file, part, found);
  }
  if (scanned.images.empty())
    throw DataError("no images in it", container.path + (part.name.empty() ? "" : ", " + part.name),
                    "fill it or take it away");
  return scanned;
}

}  // namespace smoothlab::data
