#include "data/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/file_bytes.h"
#include "data/unpack.h"

namespace smoothlab::data {
namespace {

class Fetcher {
 public:
  Fetcher(cluster::FileSystem& files, const KnownSet& set, const FetchOptions& options,
          const ProgressCallback& progress)
      : files_(files), set_(set), options_(options), progress_(progress) {
    addresses_ = options.base_url.empty() ? set.addresses : std::vector<std::string>{options.base_url};
    for (std::string& address : addresses_)
      while (!address.empty() && address.back() == '/') address.pop_back();
    result_.folder = options.folder + "/" + set.folder;
  }

  FetchResult run() {
    const auto whole = [&](const std::string& folder, const std::vector<KnownFile>& list) {
      return !list.empty() && std::all_of(list.begin(), list.end(), [&](const KnownFile& file) {
        return is_official(folder + "/" + file.name, file);
      });
    };
    files_.remove_all(unpacking());  // of an attempt that was stopped
    if (whole(result_.folder, set_.contents)) {
      list(set_.contents);
      result_.already_there = true;
      return result_;
    }
    if (!set_.archive && whole(result_.folder, set_.downloads)) {
      list(set_.downloads);
      result_.already_there = true;
      return result_;
    }
    const std::string folder = set_.archive ? options_.folder : result_.folder;
    files_.make_folders(folder);
    for (const KnownFile& file : set_.downloads) {
      const std::string path = folder + "/" + file.name;
      if (!is_official(path, file)) bring(file, path);
      if (set_.archive) open_archive(path);
    }
    if (!set_.archive) list(set_.downloads);
    return result_;
  }

 private:
  std::string unpacking() const { return result_.folder + ".unpacking"; }

  void list(const std::vector<KnownFile>& known) {
    for (const KnownFile& file : known) result_.files.push_back(result_.folder + "/" + file.name);
  }

  /// From the first address that has it.
  void bring(const KnownFile& file, const std::string& path) {
    std::string failures, difference;
    for (const std::string& address : addresses_) {
      const std::string url = address + "/" + file.name;
      // A file begun by an earlier attempt may be of another origin: it gets one chance, then a fresh start.
      for (bool fresh = false; !fresh;) {
        DownloadOptions patience = options_.download;
        patience.bytes = file.bytes;
        const DownloadOutcome outcome =
            download(files_, url, path, patience, [&](int64_t bytes, int64_t total) {
              if (progress_) progress_({file.name, bytes, total});
            });
        result_.received += outcome.received;
        fresh = !outcome.resumed;
        if (!outcome.failure.empty()) {
          failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", url, outcome.failure);
          break;
        }
        const std::string part = path + ".part";
        const std::string digest = file_digest(part, file.algorithm);
        if (digest == file.digest) {
          files_.rename(part, path);
          files_.sync_folder(path.substr(0, path.rfind('/')));
          return;
        }
        files_.remove_all(part);
        difference = fmt::format("{} {} differs from the published {}", file.algorithm, digest, file.digest);
      }
    }
    if (!difference.empty())
      throw DataError(fmt::format("{} is not the published file: {}", file.name, difference),
                      addresses_.back() + "/" + file.name,
                      "nothing was kept; try again later or another mirror");
    throw EnvironmentError(
        fmt::format("cannot download {}", file.name), failures,
        fmt::format("with no network here, download {}/{} elsewhere, put it at {} and run this again",
                    addresses_.front(), file.name, path));
  }

  /// Unpacks beside the set's folder and moves whole files in.
  void open_archive(const std::string& path) {
    const std::string temporary = unpacking();
    std::set<std::string> folders = {result_.folder};
    try {
      const std::vector<std::string> names = unpack(files_, path, temporary);
      const std::string prefix = set_.folder + "/";
      files_.make_folders(result_.folder);
      for (const std::string& name : names) {
        const size_t start = name.compare(0, 2, "./") == 0 ? 2 : 0;
        if (name.compare(start, prefix.size(), prefix) != 0) continue;
        const std::string target = fmt::format("{}/{}", result_.folder, name.substr(start + prefix.size()));
        folders.insert(target.substr(0, target.rfind('/')));
        files_.make_folders(target.substr(0, target.rfind('/')));
        files_.rename(fmt::format("{}/{}", temporary, name), target);
        result_.files.push_back(target);
      }
    } catch (...) {
      files_.remove_all(temporary);
      throw;
    }
    for (const std::string& folder : folders) files_.sync_folder(folder);
    files_.sync_folder(options_.folder);  // the archive goes only once nothing of it can be lost
    files_.remove_all(temporary);
    if (result_.files.empty())
      throw DataError(fmt::format("the archive holds no {}", set_.folder), path,
                      "remove it and fetch it again");
    if (!options_.keep_archive) files_.remove_all(path);
  }

  cluster::FileSystem& files_;
  const KnownSet& set_;
  const FetchOptions& options_;
  const ProgressCallback& progress_;
  std::vector<std::string> addresses_;
  FetchResult result_;
};

}  // namespace

bool is_official(const std::string& path, const KnownFile& file) {
  if (!is_file(path)) return false;
  if (file.lines > 0) return static_cast<int64_t>(read_lines(path, "").size()) == file.lines;
  return static_cast<int64_t>(std::filesystem::file_size(path)) == file.bytes &&
         file_digest(path, file.algorithm) == file.digest;
}

FetchResult fetch(cluster::FileSystem& files, const KnownSet& set, const FetchOptions& options,
                  const ProgressCallback& progress) {
  if (options.folder.empty())
    throw UsageError("no folder to fetch to", "data fetch", "give it with --to DIR");
  return Fetcher(files, set, options, progress).run();
}

FetchResult fetch(const FetchOptions& options, const ProgressCallback& progress) {
  return fetch(*cluster::local_file_system(), known_set(options.name), options, progress);
}

}  // namespace smoothlab::data
