#include "cluster/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace smoothlab::cluster {
namespace {

/// Of MPI, logs, logit shards and checkpoints; what is held open already is a part of it.
constexpr rlim_t for_others = 512;

}  // namespace

bool has_room_for_open_files(int64_t files) {
  struct rlimit limit {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  const rlim_t wanted = static_cast<rlim_t>(files) + for_others;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted) return true;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) return false;
  limit.rlim_cur = wanted;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace smoothlab::cluster
