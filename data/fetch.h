#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "data/download.h"
#include "data/known_sets.h"

namespace smoothlab::data {

struct FetchOptions {
  std::string name;           ///< of a known set
  std::string folder;         ///< the set's own folder is made within it
  std::string base_url;       ///< a mirror that holds the same files, instead of the official addresses
  bool keep_archive = false;  ///< do not remove an archive once it is unpacked
  DownloadOptions download;   ///< patience; `bytes` is the set's affair
};

struct FetchProgress {
  std::string file;
  int64_t bytes = 0, total = 0;  ///< of this file; total 0: not known
};
using ProgressCallback = std::function<void(const FetchProgress&)>;

struct FetchResult {
  std::string folder;  ///< what task.path should name
  std::vector<std::string> files;
  int64_t received = 0;        ///< bytes that came over the network
  bool already_there = false;  ///< everything was there and whole before
};

/// Brings a public data set: what is there and whole is kept, what was cut is gone on with, every file is
/// checked against its published digest before it gets its name, archives are unpacked and removed. An
/// archive put into the folder by hand is used as well.
///
/// Throws UsageError (unknown set), EnvironmentError (no network, no such address, disk; names what to
/// download by hand and where to put it), DataError (a digest that differs: nothing is kept).
FetchResult fetch(const FetchOptions& options, const ProgressCallback& progress = {});
/// The same through any file system, also for a set that is not in the table.
FetchResult fetch(cluster::FileSystem& files, const KnownSet& set, const FetchOptions& options,
                  const ProgressCallback& progress = {});

/// True when the file is there with the published size and digest, or number of lines.
bool is_official(const std::string& path, const KnownFile& file);

}  // namespace smoothlab::data
