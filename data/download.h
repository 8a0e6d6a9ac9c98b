#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cluster/file_system.h"

namespace smoothlab::data {

struct DownloadOptions {
  int64_t bytes = 0;              ///< expected size; 0: not known
  int attempts = 4;               ///< per address, for failures that may pass
  int retry_milliseconds = 1000;  ///< pause before the second attempt; doubles each time
  int connect_seconds = 30;
  int stall_seconds = 60;  ///< gives up an attempt when nothing has arrived for so long
};

/// bytes there so far, of total (0: not known).
using DownloadProgress = std::function<void(int64_t bytes, int64_t total)>;

struct DownloadOutcome {
  std::string failure;   ///< empty: the file is there, whole as far as the server says
  int64_t received = 0;  ///< bytes that came over the network, all attempts together
  bool resumed = false;  ///< the file was begun by an earlier attempt
};

/// Downloads to path + ".part", going on from where an earlier attempt was cut, and leaves it there for the
/// caller to check and rename. Failures of the network are returned, not thrown: another address may do.
/// Throws EnvironmentError where the disk fails.
DownloadOutcome download(cluster::FileSystem& files, const std::string& url, const std::string& path,
                         const DownloadOptions& options, const DownloadProgress& progress);

}  // namespace smoothlab::data
