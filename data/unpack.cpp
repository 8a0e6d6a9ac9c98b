#include "data/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

bool leaves_folder(const std::string& path) {
  if (path.empty() || path.front() == '/') return true;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    if (path.compare(start, end - start, "..") == 0) return true;
    start = end + 1;
  }
  return false;
}

}  // namespace

std::vector<std::string> unpack(cluster::FileSystem& files, const std::string& archive,
                                const std::string& folder) {
  const std::unique_ptr<struct archive, int (*)(struct archive*)> reader(archive_read_new(),
                                                                         archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip(reader.get());
  const auto damaged = [&](const std::string& where) {
    const char* reason = archive_error_string(reader.get());
    return DataError(fmt::format("damaged archive: {}", reason ? reason : "unknown reason"), where,
                     "remove it and fetch it again");
  };
  if (archive_read_open_filename(reader.get(), archive.c_str(), 1 << 18) != ARCHIVE_OK)
    throw damaged(archive);

  std::vector<std::string> names;
  std::vector<char> block(1 << 18);
  struct archive_entry* entry = nullptr;
  int code = ARCHIVE_OK;
  while ((code = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN) {
    const char* path = archive_entry_pathname(entry);
    const std::string name = path ? path : "";
    const std::string where = fmt::format("{}, entry '{}'", archive, name);
    const auto type = archive_entry_filetype(entry);
    if (leaves_folder(name))
      throw DataError("an archive entry leaves its folder", where, "do not trust this archive");
    if (type == AE_IFDIR) continue;
    if (type != AE_IFREG || archive_entry_hardlink(entry))
      throw DataError("an archive entry is neither file nor folder", where, "do not trust this archive");
    const std::string target = fmt::format("{}/{}", folder, name);
    files.make_folders(target.substr(0, target.rfind('/')));
    const auto file = files.create(target);
    la_ssize_t count = 0;
    while ((count = archive_read_data(reader.get(), block.data(), block.size())) > 0)
      file->write(block.data(), static_cast<size_t>(count));
    if (count < 0) throw damaged(where);
    file->sync();
    file->close();
    names.push_back(name);
  }
  if (code != ARCHIVE_EOF) throw damaged(archive);
  return names;
}

}  // namespace smoothlab::data
